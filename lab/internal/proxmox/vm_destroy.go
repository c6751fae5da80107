package proxmox

import (
	"os"
	"slices"
	"strconv"
)

func destroyVM(c *call) (any, error) {
	if c.yes("skiplock") {
		return nil, onlyRoot("skiplock")
	}
	c.mu.Lock()
	v, err := c.vmOf()
	if err == nil {
		err = c.destroyable(v)
	}
	c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return c.begin(v.Node, "qmdestroy", strconv.Itoa(v.ID), func(say func(string, ...any)) error {
		return c.change(func() error {
			if err := c.destroyable(v); err != nil {
				return err
			}
			return c.destroy(v)
		})
	})
}

func (c *call) destroyable(v *vm) error {
	switch {
	case v.Config["protection"] == "1":
		return fail("can't remove VM %d - protection mode enabled", v.ID)
	case !c.yes("purge") && c.state.Resources[haID(v.ID)] != nil:
		return fail("unable to remove VM %d - used in HA resources and purge parameter not set.", v.ID)
	case v.Running:
		return fail("VM %d is running - destroy failed", v.ID)
	}
	return v.unlocked()
}

// destroy removes a machine with its volumes and the folder of its Talos machine.
func (c *call) destroy(v *vm) error {
	if err := os.RemoveAll(c.lab.Path("machines", v.Machine)); err != nil {
		return fail("removing the disks of VM %d: %v", v.ID, err)
	}
	for key, volume := range c.state.Volumes {
		if volume.VMID == v.ID {
			delete(c.state.Volumes, key)
		}
	}
	for _, p := range c.state.Pools {
		p.VMs = slices.DeleteFunc(p.VMs, func(id int) bool { return id == v.ID })
	}
	if c.yes("purge") {
		c.unmanage(haID(v.ID))
	}
	delete(c.state.VMs, v.ID)
	return nil
}
