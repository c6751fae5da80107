package random

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"hearth.dev/lab/plugins/internal/schema"
	"hearth.dev/lab/plugins/internal/standin"
)

var uuidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// uuidResource makes sixteen random bytes in the form of a UUID. Like the vendor's plugin, it sets no version.
func uuidResource() standin.Resource {
	return generated(schema.Properties{"result": output()}, func(resource.PropertyMap) (standin.State, error) {
		raw := make([]byte, 16)
		_, err := rand.Read(raw)
		h := hex.EncodeToString(raw)
		return uuidState(strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")), err
	}, func(id string) (standin.State, error) {
		if !uuidForm.MatchString(id) {
			return standin.State{}, errors.New("the ID to import is not a UUID: give 8-4-4-4-12 hexadecimal digits")
		}
		return uuidState(strings.ToLower(id)), nil
	})
}

func uuidState(uuid string) standin.State {
	return standin.State{ID: uuid, Outputs: resource.PropertyMap{"result": text(uuid)}}
}
