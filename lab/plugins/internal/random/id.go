package random

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"math/big"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"hearth.dev/lab/plugins/internal/schema"
	"hearth.dev/lab/plugins/internal/standin"
)

// idResource makes identifiers, which are not secret.
func idResource() standin.Resource {
	properties := schema.Properties{
		"byteLength": required(integer(1)), "prefix": {Kind: schema.String, Replaces: true},
		"b64Std": output(), "b64Url": output(), "hex": output(), "dec": output(),
	}
	return generated(properties, func(given resource.PropertyMap) (standin.State, error) {
		raw := make([]byte, int(given["byteLength"].NumberValue()))
		_, err := rand.Read(raw)
		prefix := ""
		if value := given["prefix"]; value.IsString() {
			prefix = value.StringValue()
		}
		return idState(raw, prefix), err
	}, func(id string) (standin.State, error) {
		prefix := ""
		if at := strings.LastIndex(id, ","); at >= 0 {
			prefix, id = id[:at], id[at+1:]
		}
		raw, err := base64.RawURLEncoding.DecodeString(id)
		if err != nil || len(raw) == 0 {
			return standin.State{}, errors.New("the ID to import is not URL-safe base64: give B64URL or PREFIX,B64URL")
		}
		return idState(raw, prefix), nil
	})
}

func idState(raw []byte, prefix string) standin.State {
	id := base64.RawURLEncoding.EncodeToString(raw)
	outputs := resource.PropertyMap{
		"byteLength": count(len(raw)), "b64Url": text(prefix + id),
		"b64Std": text(prefix + base64.StdEncoding.EncodeToString(raw)),
		"hex":    text(prefix + hex.EncodeToString(raw)),
		"dec":    text(prefix + new(big.Int).SetBytes(raw).String()),
	}
	if prefix != "" {
		outputs["prefix"] = text(prefix)
	}
	return standin.State{ID: id, Outputs: outputs}
}
