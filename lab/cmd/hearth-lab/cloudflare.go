package main

import (
	"context"

	"hearth.dev/lab/internal/cloudflare"
	"hearth.dev/lab/internal/labconfig"
)

func init() { commands["cloudflare"] = runCloudflare }

// runCloudflare serves the simulated Cloudflare API.
func runCloudflare(ctx context.Context, lab *labconfig.Lab, _ []string) error {
	return cloudflare.Run(ctx, lab)
}
