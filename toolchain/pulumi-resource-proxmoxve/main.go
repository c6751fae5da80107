// Command pulumi-resource-proxmoxve serves bpg's Terraform provider for Proxmox VE as a Pulumi plugin.
//
// Called as `schema --out FOLDER` it writes schema and metadata, which it reads from its own folder when it serves: a
// plugin that embedded them would have to be linked twice.
package main

import (
	"context"
	"log"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfgen"

	"hearth.dev/toolchain/pulumi-resource-proxmoxve/info"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "schema" {
		tfgen.MainWithMuxer("proxmoxve", info.Provider([]byte("{}")))
		return
	}
	tfbridge.MainWithMuxer(context.Background(), "proxmoxve", info.Provider(beside("bridge-metadata.json")), beside("schema.json"))
}

// beside reads a file of the folder that the program is in.
func beside(name string) []byte {
	program, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(filepath.Dir(program), name))
	if err != nil {
		log.Fatal(err)
	}
	return content
}
