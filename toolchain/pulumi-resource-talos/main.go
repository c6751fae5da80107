// Command pulumi-resource-talos serves Siderolabs' Terraform provider for Talos as a Pulumi plugin.
package main

import (
	"context"
	_ "embed"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"

	"hearth.dev/toolchain/pulumi-resource-talos/info"
)

//go:generate go run ./generate

//go:embed schema.json
var schema []byte

func main() {
	tfbridge.Main(context.Background(), "talos", info.Provider(), tfbridge.ProviderMetadata{PackageSchema: schema})
}
