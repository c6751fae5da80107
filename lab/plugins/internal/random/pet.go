package random

import (
	"crypto/rand"
	"errors"
	"math/big"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"hearth.dev/lab/plugins/internal/schema"
	"hearth.dev/lab/plugins/internal/standin"
)

var (
	adverbs    = strings.Fields("boldly calmly duly early fairly gladly hardly justly kindly lately mildly neatly openly quietly rarely")
	adjectives = strings.Fields("able brave civil deft eager fair glad happy ideal keen loyal modern noble proud quick ready swift tidy warm")
	animals    = strings.Fields("ant bear cat deer eagle fox goat heron ibis jay koala lynx mole newt otter panda quail raven seal toad")
)

// petResource makes a name of words. The name is the resource's ID and only output.
func petResource() standin.Resource {
	length := integer(1)
	length.Default = 2.0
	properties := schema.Properties{
		"length": length, "prefix": {Kind: schema.String, Replaces: true},
		"separator": {Kind: schema.String, Replaces: true, Default: "-"},
	}
	return generated(properties, func(given resource.PropertyMap) (standin.State, error) {
		planned := properties.Planned(given, resource.PropertyMap{})
		var words []string
		if prefix := given["prefix"]; prefix.IsString() {
			words = append(words, prefix.StringValue())
		}
		for remaining := int(planned["length"].NumberValue()); remaining > 0; remaining-- {
			list := adverbs
			switch remaining {
			case 1:
				list = animals
			case 2:
				list = adjectives
			}
			at, err := rand.Int(rand.Reader, big.NewInt(int64(len(list))))
			if err != nil {
				return standin.State{}, err
			}
			words = append(words, list[at.Int64()])
		}
		name := strings.Join(words, planned["separator"].StringValue())
		return standin.State{ID: name, Outputs: resource.PropertyMap{}}, nil
	}, func(string) (standin.State, error) {
		return standin.State{}, errors.New("a pet name cannot be imported: create a new one")
	})
}
