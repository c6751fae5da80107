// Package random stands in for the vendor's random plugin, with the same tokens, inputs, outputs, IDs and imports.
package random

import (
	"context"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"hearth.dev/lab/plugins/internal/schema"
	"hearth.dev/lab/plugins/internal/standin"
)

// Version is the release that this plugin stands in for; the npm package asks for it.
const Version = "4.21.2"

// Plugin describes the plugin. As in the vendor's, a change of any input replaces the resource.
func Plugin() standin.Plugin {
	return standin.Plugin{
		Name: "random", Version: Version,
		Resources: map[string]standin.Resource{
			"random:index/randomBytes:RandomBytes":       bytesResource(),
			"random:index/randomId:RandomId":             idResource(),
			"random:index/randomInteger:RandomInteger":   integerResource(),
			"random:index/randomPassword:RandomPassword": passwordResource(),
			"random:index/randomPet:RandomPet":           petResource(),
			"random:index/randomString:RandomString":     stringResource(),
			"random:index/randomUuid:RandomUuid":         uuidResource(),
		},
	}
}

// generated describes a resource whose value is made once and exists only in the state.
func generated(
	properties schema.Properties,
	create func(given resource.PropertyMap) (standin.State, error),
	importing func(id string) (standin.State, error),
) standin.Resource {
	properties["keepers"] = &schema.Property{Kind: schema.Map, Element: &schema.Property{Kind: schema.String}, Replaces: true}
	return standin.Resource{
		Properties: properties,
		Create: func(_ context.Context, given resource.PropertyMap) (standin.State, error) {
			made, err := create(given)
			if err != nil {
				return standin.State{}, err
			}
			for key, value := range properties.Planned(given, made.Outputs) {
				if _, ok := made.Outputs[key]; !ok {
					made.Outputs[key] = value
				}
			}
			return made, nil
		},
		Import:  func(_ context.Context, id string) (standin.State, error) { return importing(id) },
		Refresh: func(_ context.Context, state standin.State) (standin.State, error) { return state, nil },
	}
}

func text(value string) resource.PropertyValue { return resource.NewStringProperty(value) }

func count(value int) resource.PropertyValue { return resource.NewNumberProperty(float64(value)) }

// integer is an integer input with a minimum. A change replaces the resource.
func integer(minimum float64) *schema.Property {
	return &schema.Property{Kind: schema.Integer, Replaces: true, Min: schema.Bound(minimum)}
}

func required(property *schema.Property) *schema.Property {
	property.Required = true
	return property
}

func output() *schema.Property { return &schema.Property{Kind: schema.String, Computed: true} }

func secret() *schema.Property {
	return &schema.Property{Kind: schema.String, Computed: true, Secret: true}
}
