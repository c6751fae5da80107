// Package schema describes a stand-in plugin's properties: what may be given, what comes back, and what a change means.
package schema

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Kind is what a property holds.
type Kind string

// The kinds. JSON is a string that holds what the API answers as a free-form object.
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

// Property is one property of a resource, of a function, of the provider's configuration, or of a record among these.
type Property struct {
	Kind Kind
	// Element is what an Array or a Map holds.
	Element *Property
	// Fields are those of a Record.
	Fields Properties
	// Required properties have to be given.
	Required bool
	// Computed properties are never given: they only come back.
	Computed bool
	// Assigned properties may be given; where they are not, the other side chooses a value.
	Assigned bool
	// Volatile properties come back different after every update.
	Volatile bool
	// Unordered arrays are sets.
	Unordered bool
	// Replaces tells that a change needs a new resource.
	Replaces bool
	// Secret values are marked as such when they come back.
	Secret bool
	// Default is what is assumed where nothing is given: a string, a float64 or a bool.
	Default any
	// OneOf are the values that a String may have, compared without regard to case. Empty allows all.
	OneOf []string
	// Min and Max bound a Number or Integer, both included.
	Min, Max *float64
	// Wire is the name in the API, snake_case of the property's own name when empty, Omitted when the API has it not.
	Wire string
	// Same tells whether a state's value and a newly given one mean the same; before is what was given last time.
	Same func(state, given, before resource.PropertyValue) bool
}

// Properties are properties by name.
type Properties map[string]*Property

// Omitted is the Wire of a property that is not part of the API's objects, such as one that is part of the path.
const Omitted = "-"

// Bound gives a pointer for Min and Max.
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
