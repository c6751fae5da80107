package main

import (
	"context"

	"hearth.dev/lab/internal/internet"
	"hearth.dev/lab/internal/labconfig"
)

func init() {
	commands["internet"] = func(ctx context.Context, lab *labconfig.Lab, _ []string) error {
		return internet.Serve(ctx, lab)
	}
}
