package proxmox

import (
	"strconv"
	"strings"
)

// resizeDisk looks up the machine only in the task.
func resizeDisk(c *call) (any, error) {
	if c.yes("skiplock") {
		return nil, onlyRoot("skiplock")
	}
	return c.begin(c.str("node"), "resize", c.str("vmid"), func(say func(string, ...any)) error {
		return c.change(c.resize)
	})
}

func (c *call) resize() error {
	v, err := c.vmOf()
	if err != nil {
		return err
	}
	name := c.str("disk")
	if d := c.str("digest"); d != "" && d != v.digest() {
		return fail("checksum mismatch (file change by other user?)")
	}
	if err := v.unlocked(); err != nil {
		return err
	}
	drive := v.drive(name)
	if drive == nil {
		return fail("disk '%s' does not exist", name)
	}
	if drive["media"] == "cdrom" {
		return fail("you can't resize a cdrom")
	}
	volume := c.volume(v.Node, drive["file"])
	if volume == nil {
		return fail("Could not determine current size of volume '%s'", drive["file"])
	}
	grow, isGrowth := strings.CutPrefix(c.str("size"), "+")
	size, _ := parseSize(grow)
	if isGrowth {
		size += volume.Size
	}
	switch {
	case size < volume.Size:
		return fail("shrinking disks is not supported")
	case size == volume.Size:
		return nil
	}
	volume.Size = size
	drive["size"] = strconv.FormatInt(size, 10)
	v.Config[name] = driveParameters[name].parts.print(drive)
	return nil
}

func moveDisk(c *call) (any, error) {
	const both = "either set 'storage' or 'target-vmid', but not both"
	switch {
	case c.has("target-vmid") && c.has("storage"):
		return nil, invalid(map[string]string{"target-vmid": both, "storage": both})
	case c.has("target-vmid"):
		return nil, fail("the lab does not move disks to other machines")
	case !c.has("storage"):
		const one = "both 'storage' and 'target-vmid' missing, either needs to be set"
		return nil, invalid(map[string]string{"target-vmid": one, "storage": one})
	}
	if err := c.permit("/storage/"+c.str("storage"), false, "Datastore.AllocateSpace"); err != nil {
		return nil, err
	}
	c.mu.Lock()
	v, err := c.vmOf()
	if err == nil {
		err = c.movable(v)
	}
	c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return c.begin(v.Node, "qmmove", strconv.Itoa(v.ID), func(say func(string, ...any)) error {
		return c.change(func() error { return c.move(v) })
	})
}

func (c *call) movable(v *vm) error {
	name := c.str("disk")
	if err := v.unlocked(); err != nil {
		return err
	}
	if d := c.str("digest"); d != "" && d != v.digest() {
		return fail("detected modified configuration - file changed by other user? Try again.")
	}
	drive := v.drive(name)
	if drive == nil {
		return fail("disk '%s' does not exist", name)
	}
	storage, _, _ := strings.Cut(drive["file"], ":")
	volume := c.volume(v.Node, drive["file"])
	switch {
	case drive["media"] == "cdrom":
		return fail("you can't move a cdrom")
	case volume == nil:
		return fail("volume '%s' does not exist", drive["file"])
	case storage == c.str("storage") && (c.str("format") == "" || c.str("format") == volume.Format):
		return fail("you can't move to the same storage with same format")
	case name == "tpmstate0" && v.Running:
		return fail("cannot move TPM state while VM is running")
	}
	target, err := c.datastore(c.str("storage"))
	if err == nil && !target.has("images") {
		err = invalidField("storage", "storage '%s' does not support vm images", target.name)
	}
	return err
}

func (c *call) move(v *vm) error {
	if err := c.movable(v); err != nil {
		return err
	}
	name, format := c.str("disk"), c.str("format")
	if format == "" {
		format = "raw"
	}
	target, err := c.datastore(c.str("storage"))
	if err != nil {
		return err
	}
	if err := target.checkFormat(format); err != nil {
		return err
	}
	drive := v.drive(name)
	to := *c.volume(v.Node, drive["file"])
	to.Format, to.ID = format, c.freeVolumeID(v, target, format)
	c.state.Volumes[volumeKey(v.Node, to.ID)] = &to
	c.release(v, drive, c.yes("delete"))
	drive["file"] = to.ID
	v.Config[name] = driveParameters[name].parts.print(drive)
	return nil
}
