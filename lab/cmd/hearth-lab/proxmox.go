package main

import (
	"context"

	"hearth.dev/lab/internal/labconfig"
	"hearth.dev/lab/internal/proxmox"
)

func init() {
	commands["proxmox"] = func(ctx context.Context, lab *labconfig.Lab, _ []string) error { return proxmox.Run(ctx, lab) }
}
