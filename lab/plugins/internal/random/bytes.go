package random

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"hearth.dev/lab/plugins/internal/schema"
	"hearth.dev/lab/plugins/internal/standin"
)

// bytesResource makes bytes for keys. As in the vendor's plugin, the resource's ID is their base64 form, and Pulumi's
// state does not encrypt IDs. Use a RandomPassword for what must stay secret.
func bytesResource() standin.Resource {
	properties := schema.Properties{"length": required(integer(1)), "base64": secret(), "hex": secret()}
	kind := generated(properties, func(given resource.PropertyMap) (standin.State, error) {
		raw := make([]byte, int(given["length"].NumberValue()))
		_, err := rand.Read(raw)
		return bytesState(raw), err
	}, func(id string) (standin.State, error) {
		raw, err := base64.StdEncoding.DecodeString(id)
		if err != nil || len(raw) == 0 {
			return standin.State{}, errors.New("the ID to import is not base64: give the bytes in standard base64")
		}
		return bytesState(raw), nil
	})
	// Source: hashicorp/terraform-provider-random 3.9.0, internal/provider/resource_bytes.go.
	kind.WithoutID = true
	return kind
}

func bytesState(raw []byte) standin.State {
	encoded := base64.StdEncoding.EncodeToString(raw)
	return standin.State{ID: encoded, Outputs: resource.PropertyMap{
		"length": count(len(raw)), "base64": text(encoded), "hex": text(hex.EncodeToString(raw)),
	}}
}
