package proxmox

import (
	"maps"
	"slices"
	"strings"
)

// migration are the parameters of a migration. Source: Proxmox VE 9, qemu-server 9.2.6, PVE/API2/Qemu.pm, migrate_vm.
var migration = schema{
	"target": formatted(isNodeName).need(), "online": flag(), "force": flag(), "migration_type": enum("secure", "insecure"),
	"migration_network": text(), "with-local-disks": flag(), "targetstorage": text(), "bwlimit": atLeast(0), "with-conntrack-state": flag(),
}

// migrateVM moves a machine and its disks to another node. A machine that runs goes on running.
func migrateVM(c *call) (any, error) {
	target := c.str("target")
	if target == c.str("node") {
		return nil, invalidField("target", "target is local node.")
	}
	if !c.isNode(target) {
		return nil, fail("no such cluster node '%s'", target)
	}
	for _, name := range []string{"force", "migration_type", "migration_network"} {
		if c.has(name) && c.str(name) != "0" {
			return nil, onlyRoot(name)
		}
	}
	if c.has("targetstorage") {
		return nil, fail("the lab does not migrate to other storages")
	}
	if c.managed(c.num("vmid")) {
		return nil, fail("the lab does not migrate machines under high availability")
	}
	c.mu.Lock()
	v, err := c.vmOf()
	if err == nil {
		err = c.migratable(v)
	}
	c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return c.begin(v.Node, "qmigrate", c.str("vmid"), func(say func(string, ...any)) error {
		return c.change(func() error { return c.migrate(v, target, say) })
	})
}

func (c *call) migratable(v *vm) error {
	if err := v.unlocked(); err != nil {
		return err
	}
	if v.Running && !c.yes("online") {
		return fail("can't migrate running VM without --online")
	}
	return nil
}

// migrate checks in the task what Proxmox finds out there. Source: qemu-server 9.2.6, PVE/QemuMigrate.pm, prepare and scan_local_volumes.
func (c *call) migrate(v *vm, target string, say func(string, ...any)) error {
	if err := c.migratable(v); err != nil {
		return err
	}
	if devices := v.mappedDevices(); v.Running && len(devices) > 0 {
		return fail("can't live migrate running VM which uses following mapped devices: %s", strings.Join(devices, ", "))
	}
	disks := c.disksOf(v)
	if err := c.movableDisks(v, disks, say); err != nil {
		return err
	}
	for _, disk := range disks {
		if c.volume(target, disk.ID) != nil {
			return fail("volume '%s' already exists", disk.ID)
		}
	}
	for _, disk := range disks {
		delete(c.state.Volumes, volumeKey(v.Node, disk.ID))
		disk.Node = target
		c.state.Volumes[volumeKey(target, disk.ID)] = disk
		say("copying local disk '%s' to %s", disk.ID, target)
	}
	v.Node = target
	say("migration finished successfully")
	return nil
}

// movableDisks refuses what cannot leave its node: images in a drive, and disks of a running machine, unless that is asked for.
func (c *call) movableDisks(v *vm, disks []*volume, say func(string, ...any)) error {
	stuck := false
	for name := range driveParameters {
		drive := v.drive(name)
		if drive == nil || drive["media"] != "cdrom" || drive["file"] == "none" {
			continue
		}
		if drive["file"] == "cdrom" {
			say("can't migrate local cdrom drive")
			stuck = true
		} else if !slices.ContainsFunc(disks, func(disk *volume) bool { return disk.ID == drive["file"] }) {
			say("can't migrate local disk '%s': local cdrom image", drive["file"])
			stuck = true
		}
	}
	for _, disk := range disks {
		if v.Running && !c.yes("with-local-disks") && !strings.Contains(disk.ID, "-cloudinit") {
			say("can't migrate local disk '%s': can't live migrate attached local disks without with-local-disks option", disk.ID)
			stuck = true
		}
	}
	if stuck {
		return fail("can't migrate VM - check log")
	}
	return nil
}

// disksOf are the volumes that belong to a machine, in the order of their names.
func (c *cluster) disksOf(v *vm) []*volume {
	var disks []*volume
	for _, key := range slices.Sorted(maps.Keys(c.state.Volumes)) {
		if disk := c.state.Volumes[key]; disk.VMID == v.ID && disk.Node == v.Node {
			disks = append(disks, disk)
		}
	}
	return disks
}

// mappedDevices are the devices of its host that it has.
func (v *vm) mappedDevices() []string {
	var devices []string
	for _, name := range slices.Sorted(maps.Keys(v.Config)) {
		if strings.HasPrefix(name, "hostpci") {
			for part := range strings.SplitSeq(v.Config[name], ",") {
				if mapping, ok := strings.CutPrefix(part, "mapping="); ok {
					devices = append(devices, name+":"+mapping)
				}
			}
		}
	}
	return devices
}
