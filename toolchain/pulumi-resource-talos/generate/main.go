// Command generate writes the plugin's schema, which the plugin embeds.
package main

import (
	"context"
	"log"
	"os"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfgen"

	"hearth.dev/toolchain/pulumi-resource-talos/info"
)

func main() {
	result, err := tfgen.GenerateSchema(context.Background(), tfgen.GenerateSchemaOptions{ProviderInfo: info.Provider()})
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile("schema.json", result.ProviderMetadata.PackageSchema, 0o644); err != nil {
		log.Fatal(err)
	}
}
