package schema

import "github.com/pulumi/pulumi/sdk/v3/go/common/resource"

// Planned returns the known outputs of a resource once given is applied. state is nil if the resource does not exist.
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

// Seal marks the values of Secret properties as secret.
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

// Given returns the inputs that lead to a state: those in before, with the state's values. If before is nil because the
// resource is being imported, they are all that differ from the defaults.
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

// Known returns a copy without nulls, secret marks and output wrappers at the top level.
func Known(values resource.PropertyMap) resource.PropertyMap {
	known := resource.PropertyMap{}
	for key, value := range values {
		if value = Plain(value); !value.IsNull() {
			known[key] = value
		}
	}
	return known
}
