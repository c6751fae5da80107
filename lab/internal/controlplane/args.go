package controlplane

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// arguments maps a program's flags, without dashes, to one or more values each.
type arguments map[string][]string

// policy says how an extra argument of the machine configuration combines with Talos's own.
type policy int

const (
	// The zero value replaces Talos's argument.
	_ policy = iota
	// additive joins both values with a comma.
	additive
	// denied refuses the extra argument.
	denied
)

// merge applies a component's extra arguments as Talos does.
func (a arguments) merge(component string, extra map[string][]string, policies map[string]policy) error {
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		switch policies[name] {
		case denied:
			return fmt.Errorf("%s: extra arg %q is not allowed", component, name)
		case additive:
			a[name] = []string{strings.Join(distinct(a[name], extra[name]), ",")}
		default:
			a[name] = slices.Clone(extra[name])
		}
	}
	return nil
}

func distinct(lists ...[]string) []string {
	var all []string
	for value := range strings.SplitSeq(strings.Join(slices.Concat(lists...), ","), ",") {
		if value = strings.TrimSpace(value); value != "" && !slices.Contains(all, value) {
			all = append(all, value)
		}
	}
	return all
}

func (a arguments) flags() []string {
	var flags []string
	for _, name := range slices.Sorted(maps.Keys(a)) {
		for _, value := range a[name] {
			flags = append(flags, "--"+name+"="+value)
		}
	}
	return flags
}

func deny(names ...string) map[string]policy {
	policies := map[string]policy{}
	for _, name := range names {
		policies[name] = denied
	}
	return policies
}
