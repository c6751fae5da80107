// Package schema describes a stand-in plugin's properties: inputs, outputs, and the effect of a change.
package schema

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Kind is the type of a property's value.
type Kind string

// The kinds. JSON is a string that holds a free-form object of the API.
const (
	String  Kind = "string"
	Number  Kind = "number"
	Integer Kind = "integer"
	Boolean Kind = "boolean"
	Array   Kind = "array"
	Map     Kind = "map"
	Record  Kind = "object"
	Any     Kind = "any"
	JSON    Kind = "json"
)

// Property describes a property of a resource, a function, the provider's configuration, or a Record.
type Property struct {
	Kind Kind
	// Element describes the elements of an Array or a Map.
	Element *Property
	// Fields are the properties of a Record.
	Fields Properties
	// Required properties must be given.
	Required bool
	// Computed properties are outputs only.
	Computed bool
	// Assigned properties may be given. If one is not, the API chooses a value.
	Assigned bool
	// Volatile properties change with every update.
	Volatile bool
	// Unordered arrays are sets.
	Unordered bool
	// Replaces says that a change needs a new resource.
	Replaces bool
	// Secret values are marked as secret in the outputs.
	Secret bool
	// Default is the value if none is given: a string, a float64 or a bool.
	Default any
	// OneOf lists the values that a String may have, compared without regard to case. Empty allows all.
	OneOf []string
	// Min and Max bound a Number or Integer, inclusively.
	Min, Max *float64
	// Wire is the property's name in the API: snake_case of its own name if empty, Omitted if the API lacks it.
	Wire string
	// Terraform is the property's name in Terraform: snake_case of its own name if empty.
	Terraform string
	// Same reports whether a state's value and a given one mean the same. before is the previous input.
	Same func(state, given, before resource.PropertyValue) bool
}

// Properties maps names to properties.
type Properties map[string]*Property

// Omitted is the Wire of a property that is not part of the API's objects, for example one that is part of the path.
const Omitted = "-"

// Bound returns a pointer for Min and Max.
func Bound(value float64) *float64 { return &value }

// wireName is the property's name in the API.
func (p *Property) wireName(name string) string {
	if p.Wire != "" {
		return p.Wire
	}
	return snake(name)
}

func snake(camel string) string {
	var out strings.Builder
	for _, r := range camel {
		if unicode.IsUpper(r) {
			out.WriteByte('_')
			r = unicode.ToLower(r)
		}
		out.WriteRune(r)
	}
	return out.String()
}

func (ps Properties) names() []string { return slices.Sorted(maps.Keys(ps)) }
