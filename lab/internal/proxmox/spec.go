package proxmox

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"hearth.dev/lab/internal/labconfig"
	"hearth.dev/lab/internal/talos"
)

// specOf describes the Talos machine that boots in a virtual machine. The error says why none boots, or why it cannot
// be reached.
func (c *cluster) specOf(v *vm) (*labconfig.Machine, error) {
	image, medium, err := c.bootImage(v)
	if err != nil {
		return nil, err
	}
	net, err := networkDevice.parse("net0", v.value("net0", ""))
	if err != nil {
		return nil, errors.New("it boots but cannot be reached: it has no network device net0")
	}
	address, err := c.address(v, image, net["macaddr"])
	if err != nil {
		return nil, err
	}
	if net["link_down"] == "1" {
		return nil, errors.New("it boots but cannot be reached: the link of net0 is down")
	}
	smbios, _ := smbiosParts.parse("smbios1", v.value("smbios1", ""))
	tpm := v.drive("tpmstate0")
	return &labconfig.Machine{
		Name: v.Machine, Address: address, MAC: strings.ToLower(net["macaddr"]), UUID: strings.ToLower(smbios["uuid"]),
		Platform: image.Platform, Medium: medium, Cores: v.cpus(), MemoryMiB: v.memoryMiB(), Disks: v.disks(),
		SecureBoot: image.SecureBoot, TPM: tpm != nil && tpm["version"] == "v2.0", Image: image.Image,
	}, nil
}

// bootImage returns what the firmware finds on the first bootable device of the boot order, and the kind of that device: "disk" or
// "cdrom".
func (c *cluster) bootImage(v *vm) (image *bootImage, medium string, err error) {
	installed, err := c.installed(v)
	if err != nil {
		return nil, "", err
	}
	ovmf := v.value("bios", "seabios") == "ovmf"
	efi := v.drive("efidisk0")
	for _, device := range v.bootOrder() {
		image, medium := c.imageOn(v, device, installed)
		switch {
		case image == nil:
			continue
		case ovmf && efi != nil && efi["pre-enrolled-keys"] == "1":
			return nil, "", errors.New("it does not boot: the firmware has only Microsoft's keys enrolled and says Access Denied; create efidisk0 with pre-enrolled-keys=0")
		case image.SecureBoot && !ovmf:
			return nil, "", errors.New("it does not boot: a SecureBoot image needs bios=ovmf")
		case image.SecureBoot && (efi == nil || efi["efitype"] != "4m"):
			return nil, "", errors.New("it does not boot: a SecureBoot image needs an efidisk0 with efitype=4m")
		}
		return image, medium, nil
	}
	return nil, "", fmt.Errorf("it does not boot: no Talos image on any device of its boot order %v", v.bootOrder())
}

// installed is what Talos's installer wrote to the machine's disks: images by Linux's names of the disks.
func (c *cluster) installed(v *vm) (map[string]*bootImage, error) {
	installation, image, err := talos.Installed(c.lab, v.Machine)
	if installation == nil || err != nil {
		return nil, err
	}
	return map[string]*bootImage{
		installation.Device: {Image: image, Platform: installation.Platform, SecureBoot: installation.SecureBoot},
	}, nil
}

// imageOn returns the Talos image on a device, nil if there is none, and the kind of the device.
func (c *cluster) imageOn(v *vm, device string, installed map[string]*bootImage) (image *bootImage, medium string) {
	drive := v.drive(device)
	if drive == nil {
		return nil, ""
	}
	if volume := c.volume(v.Node, drive["file"]); volume != nil && volume.Image != nil {
		found := *volume.Image
		image = &found
	}
	if drive["media"] == "cdrom" {
		return image, "cdrom"
	}
	if written := installed[v.linuxName(device)]; written != nil {
		image = written
	}
	return image, "disk"
}

// address returns the loopback address that the machine has: that of its cloud-init data, or the one that the DHCP server
// reserves. Source: siderolabs/talos v1.13.9, internal/app/machined/pkg/controllers/network/operator_config.go, which asks for an
// address on each link that nothing else configures.
func (c *cluster) address(v *vm, image *bootImage, mac string) (string, error) {
	reserved := c.lab.Proxmox.Leases[strings.ToLower(mac)]
	if image.Platform == "nocloud" && v.hasCloudInit() {
		config, _ := ipConfig.parse("ipconfig0", v.value("ipconfig0", ""))
		if prefix, err := netip.ParsePrefix(config["ip"]); err == nil {
			return c.reachable(prefix.Addr().String())
		}
		if reserved == "" {
			return "", errors.New("it boots but cannot be reached: ipconfig0 gives no static IPv4 address and the lab's DHCP server reserves none for it")
		}
	}
	switch {
	case reserved != "":
		return c.reachable(reserved)
	case image.Platform != "nocloud":
		return "", fmt.Errorf("it boots but cannot be reached: a %s image does not read cloud-init data and the lab's DHCP server reserves no address for it; use a nocloud image", image.Platform)
	}
	return "", errors.New("it boots but cannot be reached: it has no cloud-init drive and the lab's DHCP server reserves no address for it")
}

func (c *cluster) reachable(address string) (string, error) {
	if mapped := c.lab.Proxmox.Loopback[address]; mapped != "" {
		address = mapped
	}
	if parsed, err := netip.ParseAddr(address); err != nil || !parsed.IsLoopback() {
		return "", fmt.Errorf("it boots but cannot be reached: %s is not an address of the lab, which has 127.0.0.0/8", address)
	}
	return address, nil
}

func (v *vm) hasCloudInit() bool {
	for name := range driveParameters {
		if drive := v.drive(name); drive != nil && strings.Contains(drive["file"], fmt.Sprintf("vm-%d-cloudinit", v.ID)) {
			return true
		}
	}
	return false
}

// disks are the machine's disks with Linux's names: SCSI and then SATA disks as /dev/sda and so on, virtio disks as
// /dev/vda.
func (v *vm) disks() []labconfig.Disk {
	var disks []labconfig.Disk
	for _, name := range v.diskDrives() {
		drive := v.drive(name)
		bus := strings.TrimRight(name, "0123456789")
		transport, serial := bus, drive["serial"]
		if transport == "scsi" && strings.HasPrefix(v.value("scsihw", "lsi"), "virtio-scsi") {
			transport = "virtio"
		}
		if serial == "" && bus != "virtio" {
			serial = "drive-" + name
		}
		disks = append(disks, labconfig.Disk{
			Device: v.linuxName(name), SizeGiB: int(mustParseSize(drive["size"]) >> 30),
			Transport: transport, Model: map[bool]string{false: "QEMU HARDDISK"}[bus == "virtio"], Serial: serial,
		})
	}
	return disks
}

// diskDrives are the names of the drives that are disks, in the order in which Linux finds them.
func (v *vm) diskDrives() []string {
	all := slices.Concat(names("scsi", 31), names("sata", 6), names("virtio", 16))
	return slices.DeleteFunc(all, func(name string) bool {
		drive := v.drive(name)
		return drive == nil || drive["media"] == "cdrom"
	})
}

// linuxName is Linux's name for a disk, for example /dev/sda. Empty if the drive is no disk.
func (v *vm) linuxName(name string) string {
	device := func(name string) string {
		if strings.HasPrefix(name, "virtio") {
			return "vd"
		}
		return "sd"
	}
	letter := byte('a')
	for _, each := range v.diskDrives() {
		if each == name {
			return "/dev/" + device(name) + string(letter)
		}
		if device(each) == device(name) {
			letter++
		}
	}
	return ""
}
