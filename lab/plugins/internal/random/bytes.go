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

// bytesResource makes bytes for keys. The vendor's plugin uses the base64 form as the resource's ID, and IDs are not
// secret in Pulumi's state: what must stay secret belongs in a RandomPassword, whose ID says nothing.
func bytesResource() standin.Resource {
	properties := schema.Properties{"length": required(integer(1)), "base64": secret(), "hex": secret()}
	return generated(properties, func(given resource.PropertyMap) (standin.State, error) {
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
}

func bytesState(raw []byte) standin.State {
	encoded := base64.StdEncoding.EncodeToString(raw)
	return standin.State{ID: encoded, Outputs: resource.PropertyMap{
		"length": count(len(raw)), "base64": text(encoded), "hex": text(hex.EncodeToString(raw)),
	}}
}
