// Command pulumi-resource-proxmoxve serves bpg's Terraform provider for Proxmox VE as a Pulumi plugin.
//
// Called as `schema --out FOLDER` it writes the schema and the metadata. When it serves, it reads them from its own folder.
// To embed them, the plugin would have to be linked twice.
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

// beside reads a file from the program's folder.
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
