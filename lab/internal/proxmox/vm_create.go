package proxmox

import (
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// createOnly are the parameters of a creation that are not stored in the configuration.
var createOnly = schema{
	"vmid": vmID.need(), "archive": text().upTo(255), "storage": formatted(isStorageID),
	"force": flag().requiring("archive"), "unique": flag().requiring("archive"), "live-restore": flag(), "pool": poolID,
	"bwlimit": atLeast(0), "start": flag(), "ha-managed": flag(), "import-working-storage": formatted(isStorageID),
}

func createVM(c *call) (any, error) {
	node, id := c.take("node"), c.num("vmid")
	c.take("vmid")
	options := map[string]string{}
	for name := range createOnly {
		options[name] = c.take(name)
	}
	if options["archive"] != "" {
		return nil, fail("unable to restore VM %d - the lab has no backups", id)
	}
	c.mu.Lock()
	err := c.admit(node, id, options)
	if err == nil {
		c.state.VMs[id] = &vm{ID: id, Node: node, Locked: "create", Config: map[string]string{}, Machine: c.machineName(id)}
	}
	c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return c.begin(node, "qmcreate", strconv.Itoa(id), func(say func(string, ...any)) error {
		if err := c.build(id, options, say); err != nil {
			return fmt.Errorf("unable to create VM %d - %w", id, err)
		}
		if options["ha-managed"] == "1" {
			if err := c.change(func() error { return c.manage(id, options["start"] == "1") }); err != nil {
				return err
			}
		}
		if options["start"] == "1" {
			return c.powerOn(id, say)
		}
		return nil
	})
}

// admit applies the checks that Proxmox makes before it answers a creation.
func (c *call) admit(node string, id int, options map[string]string) error {
	if pool := options["pool"]; pool != "" && c.state.Pools[pool] == nil {
		return &apiError{status: http.StatusForbidden, message: fmt.Sprintf("Permission check failed (pool '%s' does not exist)", pool)}
	}
	if err := c.permitCreation(id, options); err != nil {
		return err
	}
	c.resolveCDROM()
	if err := c.checkStorageAccess(node); err != nil {
		return err
	}
	if err := c.permitOptions(id, slices.Collect(maps.Keys(c.params))); err != nil {
		return err
	}
	if err := c.checkBridges(); err != nil {
		return err
	}
	if err := c.checkDrives(node); err != nil {
		return err
	}
	if err := c.normalizeNetworks(); err != nil {
		return err
	}
	if existing := c.state.VMs[id]; existing != nil {
		return fail("unable to create VM %d - VM %d already exists on node '%s'", id, id, existing.Node)
	}
	return nil
}

// permitCreation checks the privileges for a new machine, in addition to those for its options.
func (c *call) permitCreation(id int, options map[string]string) error {
	path := fmt.Sprintf("/vms/%d", id)
	for _, one := range []struct {
		asked           bool
		path, privilege string
	}{
		{options["storage"] != "", "/storage/" + options["storage"], "Datastore.AllocateSpace"},
		{options["ha-managed"] == "1", "/", "Sys.Console"},
		{options["start"] == "1", path, "VM.PowerMgmt"},
	} {
		if one.asked {
			if err := c.permit(one.path, false, one.privilege); err != nil {
				return err
			}
		}
	}
	if c.permit(path, false, "VM.Allocate") != nil {
		return &apiError{status: http.StatusForbidden, message: "Permission check failed"}
	}
	return nil
}

// resolveCDROM replaces the old name cdrom by ide2.
func (c *call) resolveCDROM() {
	value := c.take("cdrom")
	if value == "" {
		return
	}
	if !strings.Contains(value, "media=") {
		value += ",media=cdrom"
	}
	c.params["ide2"] = value
}

// checkBridges checks the privileges for the bridges. The start of the machine checks that they exist.
func (c *call) checkBridges() error {
	for name, value := range c.params {
		if !strings.HasPrefix(name, "net") {
			continue
		}
		if net, err := networkDevice.parse(name, value); err == nil && net["bridge"] != "" {
			if err := c.permit("/sdn/zones/localnetwork/"+net["bridge"], false, "SDN.Use"); err != nil {
				return err
			}
		}
	}
	return nil
}

// normalizeNetworks assigns MAC addresses to network devices without one.
func (c *call) normalizeNetworks() error {
	for name, value := range c.params {
		if _, isNet := strings.CutPrefix(name, "net"); !isNet || name == "nets" {
			continue
		}
		net, err := networkDevice.parse(name, value)
		if err != nil {
			return invalidField(name, "%s", err.Error())
		}
		if net["macaddr"] == "" {
			net["macaddr"] = randomMAC()
		}
		c.params[name] = networkDevice.print(net)
	}
	return nil
}

func randomMAC() string {
	var tail [3]byte
	_, _ = rand.Read(tail[:])
	return fmt.Sprintf("BC:24:11:%02X:%02X:%02X", tail[0], tail[1], tail[2])
}

func randomUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// machineName returns the folder name of a new machine: the machine's name, unless another machine uses it.
func (c *call) machineName(id int) string {
	name := c.str("name")
	taken := func(other *vm) bool { return other.Machine == name }
	if name == "" || slices.ContainsFunc(slices.Collect(maps.Values(c.state.VMs)), taken) {
		return strings.TrimPrefix(fmt.Sprintf("%s-vm%d", name, id), "-")
	}
	return name
}

// build creates the disks of a new machine and stores its configuration. If that fails, it removes what it created.
func (c *call) build(id int, options map[string]string, say func(string, ...any)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := c.state.VMs[id]
	config := maps.Clone(c.params)
	made, err := c.makeDisks(v, config, options["storage"], say)
	if err != nil {
		for _, volume := range made {
			delete(c.state.Volumes, volumeKey(v.Node, volume))
		}
		delete(c.state.VMs, id)
		_ = c.save()
		return err
	}
	if err := os.RemoveAll(c.lab.Path("machines", v.Machine)); err != nil {
		return err
	}
	if config["boot"] == "" {
		config["boot"] = defaultBoot(config)
	}
	if config["smbios1"] == "" {
		config["smbios1"] = "uuid=" + randomUUID()
	}
	if config["vmgenid"] == "" || config["vmgenid"] == "1" {
		config["vmgenid"] = randomUUID()
	}
	config["meta"] = fmt.Sprintf("creation-qemu=10.1.2,ctime=%d", time.Now().Unix())
	tidy(config)
	v.Config, v.Locked = config, ""
	if options["pool"] != "" {
		p := c.state.Pools[options["pool"]]
		p.VMs = append(p.VMs, id)
	}
	return c.save()
}

// tidy brings values into the form in which Proxmox stores them, and removes empty ones.
func tidy(config map[string]string) {
	if tags, there := config["tags"]; there {
		config["tags"] = uniqueTags(tags)
	}
	if description, there := config["description"]; there {
		config["description"] = strings.TrimRight(description, " \t\r\n")
	}
	for name, value := range config {
		if value == "" {
			delete(config, name)
		}
	}
}

// defaultBoot is the first disk, the first CD, cloud-init's too, and the first network card. Source: qemu-server 9.2.6,
// PVE/QemuServer.pm, get_default_bootdevices, and PVE/QemuServer/Drive.pm, resolve_first_disk.
func defaultBoot(config map[string]string) string {
	var order []string
	first := func(devices []string, fits func(value string) bool) {
		for _, name := range devices {
			if value, there := config[name]; there && fits(value) {
				order = append(order, name)
				return
			}
		}
	}
	drives := driveNames()
	drives = drives[:len(drives)-2] // without those of the firmware
	isCD := func(value string) bool { return strings.Contains(value, "media=cdrom") }
	first(drives, func(value string) bool { return !isCD(value) })
	first(drives, isCD)
	first(names("net", 32), func(string) bool { return true })
	return "order=" + strings.Join(order, ";")
}
