package main

import (
	"context"

	"hearth.dev/lab/internal/labconfig"
	"hearth.dev/lab/internal/supervisor"
)

func init() {
	commands["supervise"] = func(ctx context.Context, lab *labconfig.Lab, _ []string) error {
		return supervisor.Run(ctx, lab)
	}
}
