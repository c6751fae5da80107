// Command pulumi-resource-proxmoxve serves bpg's Terraform provider for Proxmox VE as a Pulumi plugin.
package main

import (
	"context"
	_ "embed"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"

	"hearth.dev/toolchain/pulumi-resource-proxmoxve/info"
)

//go:generate go run ./generate schema --out .

//go:embed schema.json
var schema []byte

//go:embed bridge-metadata.json
var metadata []byte

func main() {
	tfbridge.MainWithMuxer(context.Background(), "proxmoxve", info.Provider(metadata), schema)
}
