package schema

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Keys of a bridged plugin's state. Source: pulumi/pulumi-terraform-bridge v3.137.0, pkg/reservedkeys.
const (
	metaKey  = "__meta"
	deltaKey = "__pulumi_raw_state_delta"
)

// Stored returns a resource's outputs with what a bridged plugin keeps in the state besides: Terraform's attribute id, the version of
// Terraform's schema, and how Terraform's state differs from the outputs. The vendor's plugin takes over the resource by them.
// Source: pulumi/pulumi-terraform-bridge v3.137.0, pkg/pf/tfbridge/resource_state.go and pkg/tfbridge/rawstate.go.
//
// id is empty if Terraform's resource has no such attribute, and version is 0 if its schema has none.
func (ps Properties) Stored(id string, version int, outputs resource.PropertyMap) resource.PropertyMap {
	stored := outputs.Copy()
	for _, key := range []resource.PropertyKey{"id", metaKey, deltaKey} {
		delete(stored, key)
	}
	delta := ps.objectDelta(stored)
	if id != "" {
		stored["id"] = resource.NewStringProperty(id)
	}
	if version > 0 {
		stored[metaKey] = resource.NewStringProperty(fmt.Sprintf(`{"schema_version":"%d"}`, version))
	}
	stored[deltaKey] = delta
	return stored
}

// terraformName is the property's name in Terraform.
func (p *Property) terraformName(name string) string {
	if p.Terraform != "" {
		return p.Terraform
	}
	return snake(name)
}

// objectDelta tells an object's values from a map's, and names what cannot be told from the values themselves.
func (ps Properties) objectDelta(values resource.PropertyMap) resource.PropertyValue {
	renamed, deltas := resource.PropertyMap{}, resource.PropertyMap{}
	for name, property := range ps {
		key := resource.PropertyKey(name)
		if terraform := property.terraformName(name); terraform != snake(name) {
			renamed[key] = resource.NewStringProperty(terraform)
		}
		value := Plain(values[key])
		if value.IsNull() {
			deltas[key] = replaced(nil)
		} else if delta := property.delta(value); !delta.IsNull() {
			deltas[key] = delta
		}
	}
	object := resource.PropertyMap{}
	if len(renamed) > 0 {
		object["renamed"] = resource.NewObjectProperty(renamed)
	}
	if len(deltas) > 0 {
		object["ps"] = resource.NewObjectProperty(deltas)
	}
	return wrapped("obj", object)
}

// delta is null for a value that Terraform has in the same form.
func (p *Property) delta(value resource.PropertyValue) resource.PropertyValue {
	switch {
	case p.Kind == Record && value.IsObject():
		return p.Fields.objectDelta(value.ObjectValue())
	case p.Kind == Map && value.IsObject():
		elements := resource.PropertyMap{}
		for key, element := range value.ObjectValue() {
			if delta := p.Element.delta(Plain(element)); !delta.IsNull() {
				elements[key] = delta
			}
		}
		return wrapped("map", inner(elements))
	case p.Kind == Array && value.IsArray():
		elements := resource.PropertyMap{}
		for i, element := range value.ArrayValue() {
			if delta := p.Element.delta(Plain(element)); !delta.IsNull() {
				elements[resource.PropertyKey(fmt.Sprint(i))] = delta
			}
		}
		return wrapped("arr", inner(elements))
	case p.Kind == Any:
		return replaced(value.Mappable())
	}
	return resource.NewNullProperty()
}

func wrapped(kind string, content resource.PropertyMap) resource.PropertyValue {
	return resource.NewObjectProperty(resource.PropertyMap{resource.PropertyKey(kind): resource.NewObjectProperty(content)})
}

func inner(elements resource.PropertyMap) resource.PropertyMap {
	if len(elements) == 0 {
		return resource.PropertyMap{}
	}
	return resource.PropertyMap{"el": resource.NewObjectProperty(elements)}
}

// replaced keeps Terraform's own value. It is secret, as the bridge makes it. A value of a dynamic attribute has its type beside it.
func replaced(value any) resource.PropertyValue {
	raw := value
	if value != nil {
		kind, _ := json.Marshal(value)
		raw = map[string]any{"value": value, "type": dynamicType(string(kind))}
	}
	return resource.MakeSecret(resource.NewObjectProperty(resource.PropertyMap{
		"replace": resource.NewObjectProperty(resource.PropertyMap{"raw": resource.NewPropertyValue(raw)}),
	}))
}

func dynamicType(encoded string) string {
	switch {
	case strings.HasPrefix(encoded, `"`):
		return "string"
	case encoded == "true" || encoded == "false":
		return "bool"
	}
	return "number"
}
