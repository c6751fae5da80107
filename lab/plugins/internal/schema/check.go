package schema

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Failure is a fault in the given inputs.
type Failure struct {
	// Property is the first part of the path.
	Property string
	// Reason says where, what and what to do.
	Reason string
}

// Check validates given inputs. Values that are not yet known pass.
func (ps Properties) Check(given resource.PropertyMap) []Failure {
	var failures []Failure
	ps.check("", given, func(path, reason string) {
		top, _, _ := strings.Cut(path, ".")
		top, _, _ = strings.Cut(top, "[")
		failures = append(failures, Failure{Property: top, Reason: path + " " + reason})
	})
	return failures
}

func (ps Properties) check(path string, given resource.PropertyMap, fail func(path, reason string)) {
	for _, key := range given.StableKeys() {
		name := string(key)
		property, known := ps[name]
		switch {
		case !known:
			fail(join(path, name), "is not a known property: "+ps.suggestion(name))
		case property.Computed:
			fail(join(path, name), "is decided by the resource and cannot be given: remove it")
		default:
			property.check(join(path, name), given[key], fail)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(ps)) {
		if value, ok := given[resource.PropertyKey(name)]; ps[name].Required && (!ok || value.IsNull()) {
			fail(join(path, name), "is required and missing: give it")
		}
	}
}

func (p *Property) check(path string, value resource.PropertyValue, fail func(path, reason string)) {
	value = Plain(value)
	if value.IsNull() || value.IsComputed() || p.Kind == Any {
		return
	}
	wrong := func() {
		fail(path, fmt.Sprintf("is of type %s: give a value of type %s", typeName(value), p.Kind))
	}
	switch p.Kind {
	case String, JSON:
		if !value.IsString() {
			wrong()
		} else if len(p.OneOf) > 0 && !slices.ContainsFunc(p.OneOf, func(one string) bool {
			return strings.EqualFold(one, value.StringValue())
		}) {
			fail(path, fmt.Sprintf("has a value that is not allowed: give one of %s", strings.Join(p.OneOf, ", ")))
		}
	case Number, Integer:
		if !value.IsNumber() || p.Kind == Integer && value.NumberValue() != math.Trunc(value.NumberValue()) {
			wrong()
		} else if p.Min != nil && value.NumberValue() < *p.Min || p.Max != nil && value.NumberValue() > *p.Max {
			fail(path, "is out of range: give a value "+p.bounds())
		}
	case Boolean:
		if !value.IsBool() {
			wrong()
		}
	case Array:
		if !value.IsArray() {
			wrong()
			return
		}
		for i, element := range value.ArrayValue() {
			p.Element.check(fmt.Sprintf("%s[%d]", path, i), element, fail)
		}
	case Map:
		if !value.IsObject() {
			wrong()
			return
		}
		for _, key := range value.ObjectValue().StableKeys() {
			p.Element.check(join(path, string(key)), value.ObjectValue()[key], fail)
		}
	case Record:
		if !value.IsObject() {
			wrong()
			return
		}
		p.Fields.check(path, value.ObjectValue(), fail)
	}
}

func (p *Property) bounds() string {
	switch {
	case p.Max == nil:
		return fmt.Sprintf("of at least %v", *p.Min)
	case p.Min == nil:
		return fmt.Sprintf("of at most %v", *p.Max)
	}
	return fmt.Sprintf("from %v to %v", *p.Min, *p.Max)
}

// suggestion names the property that was probably meant.
func (ps Properties) suggestion(name string) string {
	var inputs []string
	for candidate, property := range ps {
		if !property.Computed {
			inputs = append(inputs, candidate)
		}
		if strings.EqualFold(candidate, name) && !property.Computed {
			return "did you mean " + candidate + "?"
		}
	}
	slices.Sort(inputs)
	return "remove it or use one of " + strings.Join(inputs, ", ")
}

// Plain removes secret marks and output wrappers. An unknown output becomes a computed value.
func Plain(value resource.PropertyValue) resource.PropertyValue {
	for {
		switch {
		case value.IsSecret():
			value = value.SecretValue().Element
		case value.IsOutput() && value.OutputValue().Known:
			value = value.OutputValue().Element
		case value.IsOutput():
			return resource.MakeComputed(resource.NewStringProperty(""))
		default:
			return value
		}
	}
}

func typeName(value resource.PropertyValue) string {
	switch {
	case value.IsNumber():
		return "number"
	case value.IsObject():
		return "object"
	case value.IsBool():
		return "boolean"
	case value.IsArray():
		return "array"
	}
	return value.TypeString()
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
