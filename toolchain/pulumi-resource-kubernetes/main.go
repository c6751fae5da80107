// Command pulumi-resource-kubernetes serves Pulumi's own Kubernetes provider.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

//go:generate go run ./generate

//go:embed schema.json
var schema []byte

//go:embed terraform-mapping.json
var terraformMapping []byte

// version is the release that the pinned module is.
const version = "4.25.0"

func main() {
	provider.Serve("kubernetes", version, schema, terraformMapping)
}
