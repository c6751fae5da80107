package proxmox

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cloning are the parameters of a clone. Source: qemu-server 9.2.6, PVE/API2/Qemu.pm, clone_vm.
var cloning = schema{
	"newid": vmID.need(), "name": formatted(isDNSName), "description": text(), "pool": poolID, "snapname": formatted(isConfigID),
	"storage": formatted(isStorageID), "format": enum("raw", "qcow2", "vmdk"), "full": flag(), "target": formatted(isNodeName), "bwlimit": atLeast(0),
}

// cloneVM copies a machine with its disks. The checks are those of clone_vm, in its order.
func cloneVM(c *call) (any, error) {
	c.mu.Lock()
	v, err := c.vmOf()
	if err == nil {
		err = c.clonable(v)
	}
	c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return c.begin(v.Node, "qmclone", c.str("vmid"), func(say func(string, ...any)) error {
		say("creating a clone of VM %d with ID %s", v.ID, c.str("newid"))
		return c.change(func() error {
			if err := c.clonable(v); err != nil {
				return err
			}
			return c.clone(v, say)
		})
	})
}

func (c *call) clonable(v *vm) error {
	if pool := c.str("pool"); pool != "" && c.state.Pools[pool] == nil {
		return &apiError{status: http.StatusForbidden, message: fmt.Sprintf("Permission check failed (pool '%s' does not exist)", pool)}
	}
	target := c.str("target")
	if target != "" && !c.isNode(target) {
		return fail("no such cluster node '%s'", target)
	}
	isElsewhere := target != "" && target != v.Node
	if storage := c.str("storage"); storage != "" {
		d, err := c.datastore(storage)
		if err != nil {
			return err
		}
		if !d.has("images") {
			return invalidField("storage", "storage '%s' does not support vm images", storage)
		}
		if isElsewhere {
			return fail("can't clone to non-shared storage '%s'", storage)
		}
	}
	if err := v.unlocked(); err != nil {
		return err
	}
	if snapshot := c.str("snapname"); snapshot != "" {
		return fail("snapshot '%s' does not exist", snapshot)
	}
	if isFull := c.yes("full") || !c.has("full") && v.Config["template"] != "1"; !isFull {
		return c.refuseLinked()
	}
	for _, disk := range c.disksOf(v) {
		storage, _, _ := strings.Cut(disk.ID, ":")
		if err := c.permit("/storage/"+storage, false, "Datastore.AllocateSpace"); err != nil {
			return err
		}
	}
	switch {
	case isElsewhere:
		return fail("can't clone VM to node '%s' (VM uses local storage)", target)
	case c.state.VMs[c.num("newid")] != nil:
		return fail("unable to create VM %s: config file already exists", c.str("newid"))
	case v.Running && v.drive("tpmstate0") != nil:
		return fail("cannot clone TPM state while VM is running")
	}
	return nil
}

func (c *call) refuseLinked() error {
	for _, name := range []string{"storage", "format"} {
		if c.has(name) {
			return fail("parameter '%s' not allowed for linked clones", name)
		}
	}
	return fail("the lab makes full clones only")
}

// clone makes the copy. Everything is as in the original, but the name, hardware addresses, UUIDs and unused disks.
func (c *call) clone(v *vm, say func(string, ...any)) error {
	id := c.num("newid")
	made := &vm{ID: id, Node: v.Node, Config: map[string]string{}}
	for _, name := range slices.Sorted(maps.Keys(v.Config)) {
		value := v.Config[name]
		drive := v.drive(name)
		switch {
		case strings.HasPrefix(name, "unused") || name == "template":
			continue
		case drive != nil && c.isOwn(v, drive):
			copied, err := c.copyDisk(v, made, name, drive)
			if err != nil {
				c.dropDisks(made)
				return err
			}
			value = copied
			say("create full clone of drive %s (%s)", name, drive["file"])
		case strings.HasPrefix(name, "net"):
			if net, err := networkDevice.parse(name, value); err == nil {
				net["macaddr"] = randomMAC()
				value = networkDevice.print(net)
			}
		case name == "smbios1":
			parts, _ := smbiosParts.parse(name, value)
			parts["uuid"] = randomUUID()
			value = smbiosParts.print(parts)
		case name == "vmgenid":
			value = randomUUID()
		}
		made.Config[name] = value
	}
	made.Config["name"] = c.str("name")
	if made.Config["name"] == "" {
		made.Config["name"] = "Copy-of-VM-" + v.value("name", strconv.Itoa(v.ID))
	}
	if description := c.str("description"); description != "" {
		made.Config["description"] = description
	}
	c.params["name"] = made.Config["name"]
	made.Machine = c.machineName(id)
	c.state.VMs[id] = made
	if pool := c.str("pool"); pool != "" {
		c.state.Pools[pool].VMs = append(c.state.Pools[pool].VMs, id)
	}
	return nil
}

func (c *call) isOwn(v *vm, drive fields) bool {
	volume := c.volume(v.Node, drive["file"])
	return volume != nil && volume.VMID == v.ID
}

// copyDisk copies the volume of a drive, and returns the drive of the new machine.
func (c *call) copyDisk(v, made *vm, name string, drive fields) (string, error) {
	original := c.volume(v.Node, drive["file"])
	storage, _, _ := strings.Cut(original.ID, ":")
	if wanted := c.str("storage"); wanted != "" {
		storage = wanted
	}
	d, err := c.datastore(storage)
	if err != nil {
		return "", err
	}
	if strings.Contains(original.ID, "-cloudinit") {
		delete(drive, "size")
		volume, err := c.makeCloudInit(made, name, storage, drive, nil)
		if err != nil {
			return "", err
		}
		c.state.Volumes[volumeKey(made.Node, volume.ID)] = volume
		return driveParameters[name].parts.print(drive), nil
	}
	format := original.Format
	if c.str("format") != "" {
		format = c.str("format")
	}
	if d.checkFormat(format) != nil {
		format = "raw"
	}
	if free := datastoreBytes - c.used(made.Node, storage); original.Size > free {
		return "", fail("not enough space in '%s': %s needed, %s free", storage, formatSize(original.Size), formatSize(free))
	}
	copied := *original
	copied.Format, copied.VMID, copied.CTime = format, made.ID, time.Now().Unix()
	copied.ID = c.freeVolumeID(made, d, format)
	c.state.Volumes[volumeKey(made.Node, copied.ID)] = &copied
	drive["file"] = copied.ID
	return driveParameters[name].parts.print(drive), nil
}

// dropDisks removes what a clone that failed has made. Nothing else has its VMID: a machine that has it refuses the clone before.
func (c *call) dropDisks(made *vm) {
	maps.DeleteFunc(c.state.Volumes, func(_ string, volume *volume) bool { return volume.VMID == made.ID })
}

// makeTemplate turns a machine into a template. Source: qemu-server 9.2.6, PVE/API2/Qemu.pm, template, and PVE/QemuServer.pm,
// template_create.
func makeTemplate(c *call) (any, error) {
	if c.has("disk") {
		return nil, fail("the lab makes templates of whole machines only")
	}
	c.mu.Lock()
	v, err := c.vmOf()
	if err == nil {
		err = v.canBeTemplate()
	}
	c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return c.begin(v.Node, "qmtemplate", strconv.Itoa(v.ID), func(func(string, ...any)) error {
		return c.change(func() error {
			if err := v.canBeTemplate(); err != nil {
				return err
			}
			v.Config["template"] = "1"
			c.makeBase(v)
			return nil
		})
	})
}

func (v *vm) canBeTemplate() error {
	if err := v.unlocked(); err != nil {
		return err
	}
	switch {
	case v.Config["template"] == "1":
		return fail("you can't convert a template to a template")
	case v.Running:
		return fail("you can't convert a VM to template if VM is running")
	}
	return nil
}

// makeBase renames the disks of a template, as no machine may write to them.
func (c *call) makeBase(v *vm) {
	for name := range driveParameters {
		drive := v.drive(name)
		if drive == nil || drive["media"] == "cdrom" || !c.isOwn(v, drive) {
			continue
		}
		disk := c.volume(v.Node, drive["file"])
		delete(c.state.Volumes, volumeKey(v.Node, disk.ID))
		disk.ID = strings.Replace(disk.ID, fmt.Sprintf("vm-%d-", v.ID), fmt.Sprintf("base-%d-", v.ID), 1)
		c.state.Volumes[volumeKey(v.Node, disk.ID)] = disk
		drive["file"] = disk.ID
		v.Config[name] = driveParameters[name].parts.print(drive)
	}
}
