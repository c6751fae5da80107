package schema

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

// Diff returns the differences between the given inputs and the state. before holds the previous inputs: a property
// counts as removed only if it was in them, is no longer given, and is not Assigned.
func (ps Properties) Diff(state, before, given resource.PropertyMap) map[string]plugin.PropertyDiff {
	changes := map[string]plugin.PropertyDiff{}
	ps.diff("", false, state, before, given, changes)
	return changes
}

func (ps Properties) diff(
	path string, replaces bool, state, before, given resource.PropertyMap, changes map[string]plugin.PropertyDiff,
) {
	for _, name := range slices.Sorted(maps.Keys(ps)) {
		property, key := ps[name], resource.PropertyKey(name)
		if property.Computed {
			continue
		}
		wanted := Plain(given[key])
		if wanted.IsNull() && property.Default != nil {
			wanted = resource.NewPropertyValue(property.Default)
		}
		if wanted.IsNull() && (property.Assigned || Plain(before[key]).IsNull()) {
			continue
		}
		property.diff(join(path, name), replaces || property.Replaces, Plain(state[key]), Plain(before[key]), wanted, changes)
	}
}

func (p *Property) diff(
	path string, replaces bool, state, before, wanted resource.PropertyValue, changes map[string]plugin.PropertyDiff,
) {
	record := func(kind plugin.DiffKind) {
		if replaces {
			kind = kind.AsReplace()
		}
		changes[path] = plugin.PropertyDiff{Kind: kind}
	}
	switch {
	case wanted.IsNull() && state.IsNull():
	case wanted.IsNull():
		record(plugin.DiffDelete)
	case state.IsNull():
		if !empty(wanted) {
			record(plugin.DiffAdd)
		}
	case wanted.IsComputed():
		record(plugin.DiffUpdate)
	case p.Same != nil && p.Same(state, wanted, before):
	case p.Kind == Record && state.IsObject() && wanted.IsObject():
		p.Fields.diff(path, replaces, state.ObjectValue(), object(before), wanted.ObjectValue(), changes)
	case p.Kind == Map && state.IsObject() && wanted.IsObject():
		p.diffMap(path, replaces, state.ObjectValue(), object(before), wanted.ObjectValue(), changes)
	case p.Kind == Array && state.IsArray() && wanted.IsArray() && !p.Unordered:
		p.diffArray(path, replaces, state.ArrayValue(), before, wanted.ArrayValue(), changes)
	case p.Unordered && sameSet(state, wanted):
	case !state.DeepEquals(wanted):
		record(plugin.DiffUpdate)
	}
}

func (p *Property) diffMap(
	path string, replaces bool, state, before, wanted resource.PropertyMap, changes map[string]plugin.PropertyDiff,
) {
	keys := map[resource.PropertyKey]bool{}
	for key := range state {
		keys[key] = true
	}
	for key := range wanted {
		keys[key] = true
	}
	for key := range keys {
		p.Element.diff(fmt.Sprintf("%s[%q]", path, string(key)), replaces,
			Plain(state[key]), Plain(before[key]), Plain(wanted[key]), changes)
	}
}

func (p *Property) diffArray(
	path string, replaces bool, state []resource.PropertyValue, before resource.PropertyValue,
	wanted []resource.PropertyValue, changes map[string]plugin.PropertyDiff,
) {
	at := func(values []resource.PropertyValue, i int) resource.PropertyValue {
		if i < len(values) {
			return Plain(values[i])
		}
		return resource.NewNullProperty()
	}
	var earlier []resource.PropertyValue
	if before.IsArray() {
		earlier = before.ArrayValue()
	}
	for i := range max(len(state), len(wanted)) {
		p.Element.diff(fmt.Sprintf("%s[%d]", path, i), replaces, at(state, i), at(earlier, i), at(wanted, i), changes)
	}
}

func object(value resource.PropertyValue) resource.PropertyMap {
	if value.IsObject() {
		return value.ObjectValue()
	}
	return nil
}

// empty reports whether giving the value means the same as giving nothing.
func empty(value resource.PropertyValue) bool {
	return value.IsArray() && len(value.ArrayValue()) == 0 || value.IsObject() && len(value.ObjectValue()) == 0
}

func sameSet(a, b resource.PropertyValue) bool {
	if !a.IsArray() || !b.IsArray() || len(a.ArrayValue()) != len(b.ArrayValue()) {
		return false
	}
	for _, one := range a.ArrayValue() {
		if !slices.ContainsFunc(b.ArrayValue(), func(other resource.PropertyValue) bool {
			return Plain(one).DeepEquals(Plain(other))
		}) {
			return false
		}
	}
	return true
}
