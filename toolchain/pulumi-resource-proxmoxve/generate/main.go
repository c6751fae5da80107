// Command generate writes the plugin's schema and metadata, which the plugin embeds.
package main

import (
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfgen"

	"hearth.dev/toolchain/pulumi-resource-proxmoxve/info"
)

func main() {
	tfgen.MainWithMuxer("proxmoxve", info.Provider([]byte("{}")))
}
