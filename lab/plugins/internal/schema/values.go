package schema

import "github.com/pulumi/pulumi/sdk/v3/go/common/resource"

// Planned gives what a resource's outputs will be once given is applied, as far as that is known. state is nil for a
// resource that does not exist yet.
func (ps Properties) Planned(given, state resource.PropertyMap) resource.PropertyMap {
	planned := resource.PropertyMap{}
	for name, property := range ps {
		key := resource.PropertyKey(name)
		value := given[key]
		switch {
		case !Plain(value).IsNull():
		case property.Default != nil && !property.Computed:
			value = resource.NewPropertyValue(property.Default)
		case property.Volatile, state == nil && (property.Computed || property.Assigned):
			value = resource.MakeComputed(resource.NewStringProperty(""))
		case property.Computed || property.Assigned:
			value = state[key]
		}
		if !Plain(value).IsNull() {
			planned[key] = value
		}
	}
	return ps.Seal(planned)
}

// Seal marks as secret what the properties say is.
func (ps Properties) Seal(values resource.PropertyMap) resource.PropertyMap {
	sealed := values.Copy()
	for name, property := range ps {
		key := resource.PropertyKey(name)
		if value := values[key]; property.Secret && !value.IsNull() && !value.IsSecret() {
			sealed[key] = resource.MakeSecret(value)
		}
	}
	return sealed
}

// Given gives the inputs that lead to a state: those in before with the state's values or, when before is nil because
// the resource is being imported, all that differ from the defaults.
func (ps Properties) Given(state, before resource.PropertyMap) resource.PropertyMap {
	given := resource.PropertyMap{}
	for name, property := range ps {
		key := resource.PropertyKey(name)
		value, old := Plain(state[key]), Plain(before[key])
		if property.Computed || value.IsNull() || before != nil && old.IsNull() {
			continue
		}
		if property.Default != nil && before == nil && value.DeepEquals(resource.NewPropertyValue(property.Default)) {
			continue
		}
		if before != nil && property.Same != nil && property.Same(value, old, old) {
			value = old
		}
		if property.Kind == Record && value.IsObject() && old.IsObject() {
			value = resource.NewObjectProperty(property.Fields.Given(value.ObjectValue(), old.ObjectValue()))
		}
		given[key] = value
	}
	return given
}

// Known is a copy without nulls, secret marks and output wrappers at the top.
func Known(values resource.PropertyMap) resource.PropertyMap {
	known := resource.PropertyMap{}
	for key, value := range values {
		if value = Plain(value); !value.IsNull() {
			known[key] = value
		}
	}
	return known
}
