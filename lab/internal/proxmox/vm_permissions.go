package proxmox

import (
	"fmt"
	"slices"
	"strings"
)

// optionPrivileges are the privileges on a machine that changing an option requires. An option that is neither here nor
// in permitOption is for root only. Source: Proxmox VE 9, qemu-server, PVE/API2/Qemu.pm.
var optionPrivileges = map[string][]string{
	"VM.Config.CPU":     {"cores", "cpu", "cpulimit", "cpuunits", "numa", "smp", "sockets", "vcpus"},
	"VM.Config.Memory":  {"memory", "balloon", "shares", "allow-ksm"},
	"VM.Config.HWType":  {"acpi", "hotplug", "kvm", "machine", "scsihw", "smbios1", "tablet", "vga", "watchdog", "audio0", "rng0"},
	"VM.PowerMgmt":      {"freeze"},
	"VM.Config.Disk":    {"boot", "bootdisk", "vmstatestorage"},
	"VM.Config.Options": {"agent", "autostart", "bios", "description", "keyboard", "localtime", "migrate_downtime", "migrate_speed", "name", "onboot", "ostype", "protection", "reboot", "startdate", "startup", "tdf", "template"},
}

var cloudInitOptions = []string{"cicustom", "cipassword", "citype", "ciuser", "ciupgrade", "nameserver", "searchdomain", "sshkeys"}

// permitOptions checks that the caller may change these options of a machine.
func (c *call) permitOptions(id int, names []string) error {
	if c.isRoot() {
		return nil
	}
	slices.Sort(names)
	for _, name := range names {
		if err := c.permitOption(fmt.Sprintf("/vms/%d", id), name); err != nil {
			return err
		}
	}
	return nil
}

func (c *call) permitOption(path, name string) error {
	bare := strings.TrimRight(name, "0123456789")
	switch {
	case driveParameters[name].parts != nil:
		if strings.Contains(c.params[name], "cloudinit") {
			if err := c.permit(path, false, "VM.Config.Cloudinit"); err != nil {
				return err
			}
			return c.permit(path, false, "VM.Config.CDROM")
		}
		if strings.Contains(c.params[name], "media=cdrom") {
			return c.permit(path, false, "VM.Config.CDROM")
		}
		return c.permit(path, false, "VM.Config.Disk")
	case name == "tags":
		return c.permit(path, false, "VM.Config.Options")
	case bare == "unused":
		return c.permit(path, false, "VM.Config.Disk")
	case bare == "net":
		return c.permit(path, false, "VM.Config.Network")
	case bare == "ipconfig" || slices.Contains(cloudInitOptions, name):
		return c.permit(path, true, "VM.Config.Cloudinit", "VM.Config.Network")
	case bare == "numa":
		return c.permit(path, false, "VM.Config.CPU")
	case bare == "serial" && (c.params[name] == "socket" || c.params[name] == ""), bare == "usb" && !strings.Contains(c.params[name], "host="),
		bare == "hostpci" && strings.Contains(c.params[name], "mapping="), bare == "virtiofs":
		return c.permit(path, false, "VM.Config.HWType")
	case bare == "serial" || bare == "usb":
		return fail("only root can set '%s' config for real devices", name)
	case bare == "hostpci":
		return fail("only root can set '%s' config for non-mapped devices", name)
	}
	for privilege, options := range optionPrivileges {
		if slices.Contains(options, name) {
			if name == "startup" {
				if err := c.permit("/", false, "Sys.Modify"); err != nil {
					return err
				}
			}
			return c.permit(path, false, privilege)
		}
	}
	return rootOnly(name)
}
