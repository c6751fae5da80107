package main

import (
	"context"

	"hearth.dev/lab/internal/gitserver"
	"hearth.dev/lab/internal/labconfig"
)

func init() {
	commands["git"] = func(ctx context.Context, lab *labconfig.Lab, _ []string) error {
		return gitserver.Serve(ctx, lab)
	}
}
