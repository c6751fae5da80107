package proxmox

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// updateOnly are the parameters of an update that are not stored in the configuration.
var updateOnly = schema{
	"digest": digest, "skiplock": flag(), "delete": configIDs, "revert": configIDs, "force": flag().requiring("delete"),
}

// updateLaterOnly are those of an update that runs as a task.
var updateLaterOnly = with(updateOnly, schema{"background_delay": integer(1, 30), "import-working-storage": formatted(isStorageID)})

func updateVM(c *call) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	apply, err := c.prepareUpdate()
	if err != nil {
		return nil, err
	}
	if err := apply(func(string, ...any) {}); err != nil {
		return nil, err
	}
	return nil, c.save()
}

func updateVMLater(c *call) (any, error) {
	node, id := c.str("node"), c.str("vmid")
	c.mu.Lock()
	apply, err := c.prepareUpdate()
	c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return c.begin(node, "qmconfig", id, func(say func(string, ...any)) error {
		return c.change(func() error { return apply(say) })
	})
}

// prepareUpdate checks an update and returns the function that applies it. Both run with the lock held.
func (c *call) prepareUpdate() (work, error) {
	v, err := c.vmOf()
	if err != nil {
		return nil, err
	}
	delete(c.params, "node")
	delete(c.params, "vmid")
	options := map[string]string{}
	for name := range updateLaterOnly {
		options[name] = c.take(name)
	}
	deletions := splitList(options["delete"])
	if err := c.checkUpdate(v, options, deletions); err != nil {
		return nil, err
	}
	return func(say func(string, ...any)) error {
		for _, name := range deletions {
			if err := c.deleteOption(v, name, options["force"] == "1", say); err != nil {
				return err
			}
		}
		return c.setOptions(v, say)
	}, nil
}

func (c *call) checkUpdate(v *vm, options map[string]string, deletions []string) error {
	if options["skiplock"] == "1" {
		return onlyRoot("skiplock")
	}
	if len(deletions) == 0 && options["revert"] == "" && len(c.params) == 0 {
		return fail("no options specified")
	}
	c.resolveCDROM()
	reverted := splitList(options["revert"])
	for _, name := range reverted {
		if _, known := vmConfig[name]; !known {
			return invalidField("revert", "unknown option '%s'", name)
		}
		if c.has(name) {
			return invalidField("delete", "you can't use '-%s' and -revert %s' at the same time", name, name)
		}
	}
	for i, name := range deletions {
		if name == "cdrom" {
			deletions[i], name = "ide2", "ide2"
		}
		if c.has(name) {
			return invalidField("delete", "you can't use '-%s' and -delete %s' at the same time", name, name)
		}
		if slices.Contains(reverted, name) {
			return invalidField("revert", "you can't use '-delete %s' and -revert %s' at the same time", name, name)
		}
		if _, known := vmConfig[name]; !known {
			return invalidField("delete", "unknown option '%s'", name)
		}
	}
	if err := c.checkDrives(v.Node); err != nil {
		return err
	}
	if err := c.normalizeNetworks(); err != nil {
		return err
	}
	if err := c.permitOptions(v.ID, append(slices.Collect(maps.Keys(c.params)), deletions...)); err != nil {
		return err
	}
	if err := c.checkStorageAccess(v.Node); err != nil {
		return err
	}
	if err := c.checkBridges(); err != nil {
		return err
	}
	if d := options["digest"]; d != "" && d != v.digest() {
		return fail("checksum mismatch (file change by other user?)")
	}
	if err := v.unlocked(); err != nil {
		return err
	}
	return c.checkBalloon(v)
}

func (c *call) checkBalloon(v *vm) error {
	if !c.has("memory") && !c.has("balloon") {
		return nil
	}
	after := &vm{Config: maps.Clone(v.Config)}
	for _, name := range []string{"memory", "balloon"} {
		if c.has(name) {
			after.Config[name] = c.str(name)
		}
	}
	if after.number("balloon", 0) > after.memoryMiB() {
		return fail("balloon value too large (must be smaller than assigned memory)")
	}
	return nil
}

// deleteOption removes an option. A disk becomes an unused disk. With force, its volume is removed too.
func (c *call) deleteOption(v *vm, name string, force bool, say func(string, ...any)) error {
	value, there := v.Config[name]
	if !there {
		say("cannot delete '%s' - not set in current configuration!", name)
		return nil
	}
	if drive := v.drive(name); drive != nil {
		if v.Config["protection"] == "1" && drive["media"] != "cdrom" {
			return fail("can't remove drive '%s' - protection mode enabled", name)
		}
		c.release(v, drive, force)
		v.dropFromBoot(name)
	}
	if strings.HasPrefix(name, "unused") {
		delete(c.state.Volumes, volumeKey(v.Node, value))
	}
	delete(v.Config, name)
	return nil
}

// release releases the volume of a drive: a disk becomes an unused disk, or is removed with remove.
func (c *call) release(v *vm, drive fields, remove bool) {
	volume := c.volume(v.Node, drive["file"])
	if volume == nil || volume.VMID != v.ID {
		return
	}
	if remove || drive["media"] == "cdrom" {
		delete(c.state.Volumes, volumeKey(v.Node, volume.ID))
		return
	}
	v.addUnused(volume.ID)
}

// addUnused keeps a volume as the machine's first free unused disk.
func (v *vm) addUnused(volume string) {
	for n := range 256 {
		name := "unused" + strconv.Itoa(n)
		if _, taken := v.Config[name]; !taken {
			v.Config[name] = volume
			return
		}
	}
}

func (v *vm) dropFromBoot(name string) {
	order := v.bootOrder()
	if slices.Contains(order, name) {
		order = slices.DeleteFunc(order, func(device string) bool { return device == name })
		v.Config["boot"] = "order=" + strings.Join(order, ";")
	}
}

func (c *call) setOptions(v *vm, say func(string, ...any)) error {
	changed := maps.Clone(c.params)
	for name := range changed {
		if name == "vmgenid" && changed[name] == "1" {
			changed[name] = randomUUID()
		}
		if p, isDrive := driveParameters[name]; isDrive {
			if err := c.replaceable(v, name, p); err != nil {
				return err
			}
		}
	}
	after := maps.Clone(v.Config)
	maps.Copy(after, changed)
	drives := map[string]string{}
	for name, value := range changed {
		if _, isDrive := driveParameters[name]; isDrive {
			drives[name] = value
		}
	}
	made, err := c.makeDisks(v, drives, "", say)
	if err != nil {
		for _, volume := range made {
			delete(c.state.Volumes, volumeKey(v.Node, volume))
		}
		return err
	}
	for name, value := range drives {
		old := v.drive(name)
		after[name] = value
		if now, err := driveParameters[name].parts.parse(name, value); err == nil && old != nil && old["file"] != now["file"] {
			c.release(v, old, old["media"] == "cdrom")
			for unused, volume := range v.Config {
				if strings.HasPrefix(unused, "unused") {
					after[unused] = volume
				}
			}
		}
	}
	// A disk that is attached again is no longer unused.
	for name, value := range after {
		if strings.HasPrefix(name, "unused") && attached(drives, value) {
			delete(after, name)
		}
	}
	tidy(after)
	v.Config = after
	return nil
}

func attached(drives map[string]string, volume string) bool {
	for _, value := range drives {
		if value == volume || strings.HasPrefix(value, volume+",") {
			return true
		}
	}
	return false
}

// replaceable refuses the changes of firmware disks that Proxmox refuses.
func (c *call) replaceable(v *vm, name string, p property) error {
	old := v.drive(name)
	if old == nil {
		return nil
	}
	now, err := p.parts.parse(name, c.str(name))
	if err != nil {
		return err
	}
	if name == "tpmstate0" && now["file"] == old["file"] && now["version"] != old["version"] {
		return fail("cannot change TPM state version after creation")
	}
	return nil
}
