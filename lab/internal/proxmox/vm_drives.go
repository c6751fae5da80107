package proxmox

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// checkStorageAccess checks the drives in the parameters: their storages must exist, accept disks and be allowed, and
// imports must be possible.
func (c *call) checkStorageAccess(node string) error {
	for name, drive := range c.drives() {
		file := drive["file"]
		match := newDiskPattern.FindStringSubmatch(file)
		storage, path, isVolume := strings.Cut(file, ":")
		switch {
		case file == "none" || path == "cloudinit":
		case file == "cdrom":
			if err := c.permit("/", false, "Sys.Console"); err != nil {
				return err
			}
		case match != nil && drive["media"] != "cdrom":
			if match[1] == "" {
				return fail("no storage ID specified (and no default storage)")
			}
			if err := c.permit("/storage/"+match[1], false, "Datastore.AllocateSpace"); err != nil {
				return err
			}
			d, err := c.datastore(match[1])
			if err != nil {
				return err
			}
			if !d.has("images") {
				return invalidField("storage", "storage '%s' does not support vm images", match[1])
			}
		case isVolume:
			if err := c.checkExisting(name, storage, path); err != nil {
				return err
			}
		default:
			return fail("Only root can pass arbitrary filesystem paths.")
		}
		if source := drive["import-from"]; source != "" {
			if err := c.checkImport(name, node, source); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *call) checkExisting(name, storage, path string) error {
	if _, err := c.datastore(storage); err != nil {
		return err
	}
	kind, _, _ := strings.Cut(path, "/")
	switch kind {
	case "import", "vztmpl", "snippets", "backup":
		return invalidField(name, "content type needs to be 'images' or 'iso'")
	case "iso":
		return c.permit("/storage/"+storage, true, "Datastore.Audit", "Datastore.AllocateSpace")
	}
	return nil
}

// checkImport allows the imports that Proxmox allows: disks of machines, and files of content type import.
func (c *call) checkImport(name, node, source string) error {
	storage, path, isVolume := strings.Cut(source, ":")
	if !isVolume {
		return fail("Only root can pass arbitrary filesystem paths.")
	}
	if _, err := c.datastore(storage); err != nil {
		return err
	}
	kind, _, hasKind := strings.Cut(path, "/")
	if hasKind && (kind == "iso" || kind == "vztmpl" || kind == "snippets" || kind == "backup") {
		return invalidField(name, "%s has wrong type '%s' - needs to be 'images' or 'import'", source, kind)
	}
	return c.permit("/storage/"+storage, true, "Datastore.Audit", "Datastore.AllocateSpace", "Datastore.AllocateTemplate")
}

// drives are the drives in the parameters, by name.
func (c *call) drives() map[string]fields {
	all := map[string]fields{}
	for name, value := range c.params {
		if p, isDrive := driveParameters[name]; isDrive {
			if drive, err := p.parts.parse(name, value); err == nil {
				all[name] = drive
			}
		}
	}
	return all
}

// checkDrives applies the checks that the schema of drives cannot express, and brings the drives into their stored
// form.
func (c *call) checkDrives(node string) error {
	for name, drive := range c.drives() {
		match := newDiskPattern.FindStringSubmatch(drive["file"])
		if drive["import-from"] != "" {
			if match == nil || match[2] != "0" {
				return invalidField(name, "'import-from' requires special syntax - use <storage ID>:0,import-from=<source>")
			}
			for _, required := range map[string][]string{"efidisk0": {"efitype", "pre-enrolled-keys"}, "tpmstate0": {"version"}}[name] {
				if drive[required] == "" {
					return invalidField(name, "need to specify '%s' when using 'import-from'", required)
				}
			}
		}
		if _, path, _ := strings.Cut(drive["file"], ":"); strings.HasPrefix(path, "iso/") && drive["media"] != "cdrom" {
			return invalidField(name, "explicit 'media=cdrom' is required for iso images")
		}
		c.params[name] = driveParameters[name].parts.print(drive)
	}
	return nil
}

// makeDisks creates the new volumes in config and replaces them by their names. It returns the volumes that it created,
// also if it fails.
func (c *call) makeDisks(v *vm, config map[string]string, defaultStorage string, say func(string, ...any)) ([]string, error) {
	var made []string
	for _, name := range slices.Sorted(maps.Keys(config)) {
		p, isDrive := driveParameters[name]
		if !isDrive {
			continue
		}
		drive, err := p.parts.parse(name, config[name])
		if err != nil {
			return made, err
		}
		volume, err := c.makeDisk(v, name, drive, config, defaultStorage)
		if err != nil {
			return made, err
		}
		if volume != nil {
			c.state.Volumes[volumeKey(v.Node, volume.ID)] = volume
			made = append(made, volume.ID)
		}
		config[name] = p.parts.print(drive)
		if volume != nil {
			say("%s: successfully created disk '%s'", name, config[name])
		}
	}
	return made, nil
}

// makeDisk creates the volume of a drive and completes the drive. It returns nil if there is nothing to create.
func (c *call) makeDisk(v *vm, name string, drive fields, config map[string]string, defaultStorage string) (*volume, error) {
	file := drive["file"]
	storage, path, isVolume := strings.Cut(file, ":")
	switch match := newDiskPattern.FindStringSubmatch(file); {
	case file == "none" || file == "cdrom":
		delete(drive, "size")
		return nil, nil
	case path == "cloudinit":
		return c.makeCloudInit(v, name, storage, drive, config)
	case match != nil:
		if match[1] == "" {
			match[1] = defaultStorage
		}
		gib, _ := strconv.ParseFloat(match[2], 64)
		return c.allocate(v, name, match[1], int64(gib*(1<<30)), drive)
	case isVolume:
		existing := c.volume(v.Node, file)
		if existing == nil {
			return nil, fail("volume '%s' does not exist", file)
		}
		if drive["format"] != "" && drive["format"] != existing.Format {
			return nil, fail("drive '%s' - volume '%s' - 'format=%s' option different from storage format '%s'", name, file, drive["format"], existing.Format)
		}
		drive["size"] = strconv.FormatInt(existing.Size, 10)
	}
	return nil, nil
}

const mebibyte = int64(1) << 20

func (c *call) makeCloudInit(v *vm, name, storage string, drive fields, config map[string]string) (*volume, error) {
	for other, value := range config {
		if other != name && driveParameters[other].parts != nil && strings.Contains(value, fmt.Sprintf("vm-%d-cloudinit", v.ID)) {
			return nil, fail("%s - cloud-init drive is already attached at '%s'", name, other)
		}
	}
	d, err := c.datastore(storage)
	if err != nil {
		return nil, err
	}
	if !d.has("images") {
		return nil, fail("storage '%s' does not support content-type 'images'", storage)
	}
	format := drive["format"]
	id := fmt.Sprintf("%s:vm-%d-cloudinit", storage, v.ID)
	if d.files() {
		if format == "" {
			format = "qcow2"
		}
		id = fmt.Sprintf("%s:%d/vm-%d-cloudinit.%s", storage, v.ID, v.ID, format)
	} else if format == "" {
		format = "raw"
	}
	if err := d.checkFormat(format); err != nil {
		return nil, err
	}
	delete(drive, "format")
	drive["file"], drive["media"], drive["size"] = id, "cdrom", strconv.FormatInt(4*mebibyte, 10)
	return &volume{Node: v.Node, ID: id, Content: "images", Format: format, Size: 4 * mebibyte, VMID: v.ID, CTime: time.Now().Unix()}, nil
}

func (d datastore) checkFormat(format string) error {
	if !d.files() && format != "raw" || format != "raw" && format != "qcow2" && format != "vmdk" {
		return fail("unsupported format '%s' at /usr/share/perl5/PVE/Storage/%s.pm", format, map[bool]string{true: "Plugin", false: "LvmThinPlugin"}[d.files()])
	}
	return nil
}

// allocate creates a disk of the given size in bytes, or of the size of its import.
func (c *call) allocate(v *vm, name, storage string, size int64, drive fields) (*volume, error) {
	d, err := c.datastore(storage)
	if err != nil {
		return nil, err
	}
	format := drive["format"]
	if format == "" {
		format = "raw"
	}
	if err := d.checkFormat(format); err != nil {
		return nil, err
	}
	created := &volume{Node: v.Node, Content: "images", Format: format, VMID: v.ID, CTime: time.Now().Unix()}
	switch {
	case drive["import-from"] != "":
		source := c.volume(v.Node, drive["import-from"])
		if source == nil {
			return nil, fail("cannot import from '%s' - volume '%s' does not exist", drive["import-from"], drive["import-from"])
		}
		size, created.Image = source.diskSize(), source.Image
	case name == "efidisk0":
		size = 528 << 10
	case name == "tpmstate0":
		size = 4 * mebibyte
	}
	if !d.files() {
		// A thin volume consists of extents of 4 MiB.
		size = (size + 4*mebibyte - 1) / (4 * mebibyte) * (4 * mebibyte)
	}
	if free := datastoreBytes - c.used(v.Node, storage); size > free {
		return nil, fail("not enough space in '%s': %s needed, %s free", storage, formatSize(size), formatSize(free))
	}
	created.Size, created.ID = size, c.freeVolumeID(v, d, format)
	delete(drive, "import-from")
	delete(drive, "format")
	drive["file"], drive["size"] = created.ID, strconv.FormatInt(size, 10)
	return created, nil
}

func (v *volume) diskSize() int64 {
	if v.VirtualSize != 0 {
		return v.VirtualSize
	}
	return v.Size
}

// freeVolumeID returns a name for a new disk, with the first free number.
func (c *cluster) freeVolumeID(v *vm, d datastore, format string) string {
	for n := 0; ; n++ {
		id := fmt.Sprintf("%s:vm-%d-disk-%d", d.name, v.ID, n)
		taken := c.volume(v.Node, id) != nil
		if d.files() {
			id = fmt.Sprintf("%s:%d/vm-%d-disk-%d.%s", d.name, v.ID, v.ID, n, format)
			for _, other := range []string{"raw", "qcow2", "vmdk"} {
				taken = taken || c.volume(v.Node, fmt.Sprintf("%s:%d/vm-%d-disk-%d.%s", d.name, v.ID, v.ID, n, other)) != nil
			}
		}
		if !taken {
			return id
		}
	}
}
