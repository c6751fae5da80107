package schema

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Encode returns the API's object for the given inputs.
func (ps Properties) Encode(given resource.PropertyMap) map[string]any {
	body := map[string]any{}
	for name, property := range ps {
		value := Plain(given[resource.PropertyKey(name)])
		if value.IsNull() && property.Default != nil {
			value = resource.NewPropertyValue(property.Default)
		}
		if wire := property.wireName(name); !property.Computed && wire != Omitted && !value.IsNull() {
			body[wire] = property.encode(value)
		}
	}
	return body
}

func (p *Property) encode(value resource.PropertyValue) any {
	value = Plain(value)
	switch {
	case value.IsArray() && p.Element != nil:
		elements := make([]any, 0, len(value.ArrayValue()))
		for _, element := range value.ArrayValue() {
			elements = append(elements, p.Element.encode(element))
		}
		return elements
	case value.IsObject() && p.Kind == Record:
		return p.Fields.Encode(value.ObjectValue())
	case value.IsObject() && p.Element != nil:
		fields := map[string]any{}
		for key, element := range value.ObjectValue() {
			fields[string(key)] = p.Element.encode(element)
		}
		return fields
	}
	return value.Mappable()
}

// Decode reads the API's object. It skips properties that are absent or null.
func (ps Properties) Decode(object map[string]any) (resource.PropertyMap, error) {
	values := resource.PropertyMap{}
	for name, property := range ps {
		raw := object[property.wireName(name)]
		if raw == nil || property.Wire == Omitted {
			continue
		}
		value, err := property.decode(raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		values[resource.PropertyKey(name)] = value
	}
	return values, nil
}

func (p *Property) decode(raw any) (resource.PropertyValue, error) {
	switch p.Kind {
	case JSON:
		text, err := json.Marshal(raw)
		return resource.NewStringProperty(string(text)), err
	case Any:
		return resource.NewPropertyValue(raw), nil
	case Record:
		if fields, ok := raw.(map[string]any); ok {
			values, err := p.Fields.Decode(fields)
			return resource.NewObjectProperty(values), err
		}
	case Array:
		if elements, ok := raw.([]any); ok {
			values := make([]resource.PropertyValue, 0, len(elements))
			for _, element := range elements {
				value, err := p.Element.decode(element)
				if err != nil {
					return resource.PropertyValue{}, err
				}
				values = append(values, value)
			}
			return resource.NewArrayProperty(values), nil
		}
	default:
		value := resource.NewPropertyValue(raw)
		var failure string
		p.check("", value, func(_, reason string) { failure = reason })
		if failure == "" || len(p.OneOf) > 0 && value.IsString() {
			return value, nil
		}
	}
	return resource.PropertyValue{}, fmt.Errorf("the API answers %T where %s is expected", raw, p.Kind)
}
