// Command pulumi-resource-talos serves Siderolabs' Terraform provider for Talos as a Pulumi plugin.
//
// Called as `schema --out FOLDER` it writes the schema. When it serves, it reads the schema from its own folder. To embed it, the
// plugin would have to be linked twice.
package main

import (
	"context"
	"log"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfgen"

	"hearth.dev/toolchain/pulumi-resource-talos/info"
)

const schemaFile = "schema.json"

func main() {
	ctx := context.Background()
	if len(os.Args) == 4 && os.Args[1] == "schema" {
		writeSchema(ctx, os.Args[3])
		return
	}
	program, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	schema, err := os.ReadFile(filepath.Join(filepath.Dir(program), schemaFile))
	if err != nil {
		log.Fatal(err)
	}
	tfbridge.Main(ctx, "talos", info.Provider(), tfbridge.ProviderMetadata{PackageSchema: schema})
}

func writeSchema(ctx context.Context, folder string) {
	result, err := tfgen.GenerateSchema(ctx, tfgen.GenerateSchemaOptions{ProviderInfo: info.Provider()})
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, schemaFile), result.ProviderMetadata.PackageSchema, 0o644); err != nil {
		log.Fatal(err)
	}
}
