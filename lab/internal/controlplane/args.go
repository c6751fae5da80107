package controlplane

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// arguments are a program's flags, without dashes, each with one or more values.
type arguments map[string][]string

// policy says what an extra argument of the machine configuration does to the one that Talos sets.
type policy int

const (
	// The zero value overwrites.
	_ policy = iota
	// additive joins the values of both, separated by commas.
	additive
	// denied refuses the extra argument.
	denied
)

// merge applies the extra arguments of component as Talos does.
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
