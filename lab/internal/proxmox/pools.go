package proxmox

import (
	"maps"
	"slices"
	"strconv"
)

// pool is a named group of machines.
type pool struct {
	Comment string `json:"comment,omitempty"`
	VMs     []int  `json:"vms,omitempty"`
}

var poolEndpoints = []endpoint{
	{"GET", "/pools", schema{"poolid": poolID, "type": enum("qemu", "lxc", "storage").requiring("poolid")}, nil, listPools},
	{"POST", "/pools", schema{"poolid": poolID.need(), "comment": text()}, []access{needs("/pool/{poolid}", "Pool.Allocate")}, createPool},
	{"PUT", "/pools", poolChange, []access{needs("/pool/{poolid}", "Pool.Allocate")}, updatePool},
	{"DELETE", "/pools", schema{"poolid": poolID.need()}, []access{needs("/pool/{poolid}", "Pool.Allocate")}, deletePool},
}

var poolChange = schema{
	"poolid": poolID.need(), "comment": text(), "vms": formatted(each(isVMID)), "storage": formatted(each(isStorageID)),
	"allow-move": flag(), "delete": flag(),
}

func listPools(c *call) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := []map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(c.state.Pools)) {
		p := c.state.Pools[name]
		if !c.has("poolid") {
			list = append(list, map[string]any{"poolid": name, "comment": p.Comment})
		} else if c.str("poolid") == name {
			members := []map[string]any{}
			for _, id := range p.VMs {
				members = append(members, c.vmResource(c.state.VMs[id]))
			}
			list = append(list, map[string]any{"poolid": name, "comment": p.Comment, "members": members})
		}
	}
	if c.has("poolid") && len(list) == 0 {
		return nil, fail("pool '%s' does not exist", c.str("poolid"))
	}
	return list, nil
}

func createPool(c *call) (any, error) {
	return nil, c.change(func() error {
		if c.state.Pools[c.str("poolid")] != nil {
			return fail("create pool failed: pool '%s' already exists", c.str("poolid"))
		}
		if err := c.nameable(c.str("poolid")); err != nil {
			return err
		}
		c.state.Pools[c.str("poolid")] = &pool{Comment: c.str("comment")}
		return nil
	})
}

// nameable returns an error unless a pool may have the name: its parent must exist, and it must begin with a letter.
func (c *call) nameable(name string) error {
	parent, leaf, nested := cutLast(name, "/")
	switch {
	case !nested:
		leaf = name
	case c.state.Pools[parent] == nil:
		return fail("create pool failed: parent '%s' of pool '%s' does not exist", parent, name)
	}
	if first := leaf[0] | 0x20; first < 'a' || first > 'z' {
		return fail("create pool failed: pool name must start with a letter")
	}
	return nil
}

func updatePool(c *call) (any, error) {
	return nil, c.change(func() error {
		p := c.state.Pools[c.str("poolid")]
		if p == nil {
			return fail("update pools failed: pool '%s' does not exist", c.str("poolid"))
		}
		if c.has("comment") {
			p.Comment = c.str("comment")
		}
		for _, value := range splitList(c.str("vms")) {
			id, _ := strconv.Atoi(value)
			if err := c.moveToPool(p, id); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *call) moveToPool(p *pool, id int) error {
	member := slices.Contains(p.VMs, id)
	switch {
	case c.state.VMs[id] == nil:
		return fail("update pools failed: VM %d does not exist", id)
	case c.yes("delete") && !member:
		return fail("update pools failed: VM %d is not a pool member", id)
	case c.yes("delete"):
		p.VMs = slices.DeleteFunc(p.VMs, func(other int) bool { return other == id })
		return nil
	case member:
		return fail("update pools failed: VM %d is already a pool member", id)
	}
	for name, other := range c.state.Pools {
		if slices.Contains(other.VMs, id) {
			if !c.yes("allow-move") {
				return fail("update pools failed: VM %d belongs already to pool '%s' and 'allow-move' is not set", id, name)
			}
			other.VMs = slices.DeleteFunc(other.VMs, func(member int) bool { return member == id })
		}
	}
	p.VMs = append(p.VMs, id)
	return nil
}

func deletePool(c *call) (any, error) {
	return nil, c.change(func() error {
		p := c.state.Pools[c.str("poolid")]
		if p == nil {
			return fail("delete pool failed: pool '%s' does not exist", c.str("poolid"))
		}
		for _, other := range slices.Sorted(maps.Keys(c.state.Pools)) {
			if parent, _, nested := cutLast(other, "/"); nested && parent == c.str("poolid") {
				return fail("delete pool failed: pool '%s' is not empty (contains pool '%s')", parent, other)
			}
		}
		if len(p.VMs) > 0 {
			return fail("delete pool failed: pool '%s' is not empty (contains VM %d)", c.str("poolid"), p.VMs[0])
		}
		delete(c.state.Pools, c.str("poolid"))
		return nil
	})
}
