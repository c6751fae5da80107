package main

import (
	"context"

	"hearth.dev/lab/internal/labconfig"
	"hearth.dev/lab/internal/registry"
)

func init() { commands["registry"] = runRegistry }

// runRegistry serves the OCI registry that stands for the public ones.
func runRegistry(ctx context.Context, lab *labconfig.Lab, _ []string) error {
	return registry.Run(ctx, lab)
}
