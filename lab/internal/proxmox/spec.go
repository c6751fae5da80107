package proxmox

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"hearth.dev/lab/internal/labconfig"
)

// specOf describes the Talos machine that boots in a virtual machine. The error says why none boots, or why it cannot
// be reached.
func (c *cluster) specOf(v *vm) (*labconfig.Machine, error) {
	image, err := c.bootImage(v)
	if err != nil {
		return nil, err
	}
	address, err := c.address(v, image)
	if err != nil {
		return nil, err
	}
	net, err := networkDevice.parse("net0", v.value("net0", ""))
	if err != nil {
		return nil, errors.New("it boots but cannot be reached: it has no network device net0")
	}
	if net["link_down"] == "1" {
		return nil, errors.New("it boots but cannot be reached: the link of net0 is down")
	}
	smbios, _ := smbiosParts.parse("smbios1", v.value("smbios1", ""))
	tpm := v.drive("tpmstate0")
	return &labconfig.Machine{
		Name: v.Machine, Address: address, MAC: strings.ToLower(net["macaddr"]), UUID: strings.ToLower(smbios["uuid"]),
		Platform: image.Platform, Cores: v.cpus(), MemoryMiB: v.memoryMiB(), Disks: v.disks(),
		SecureBoot: image.SecureBoot, TPM: tpm != nil && tpm["version"] == "v2.0", Image: image.Image,
	}, nil
}

// bootImage returns what the firmware finds on the first bootable device of the boot order.
func (c *cluster) bootImage(v *vm) (*bootImage, error) {
	ovmf := v.value("bios", "seabios") == "ovmf"
	efi := v.drive("efidisk0")
	for _, device := range v.bootOrder() {
		drive := v.drive(device)
		if drive == nil {
			continue
		}
		volume := c.volume(v.Node, drive["file"])
		if volume == nil || volume.Image == nil {
			continue
		}
		image := *volume.Image
		switch {
		case ovmf && efi != nil && efi["pre-enrolled-keys"] == "1":
			return nil, errors.New("it does not boot: the firmware has only Microsoft's keys enrolled and says Access Denied; create efidisk0 with pre-enrolled-keys=0")
		case image.SecureBoot && !ovmf:
			return nil, errors.New("it does not boot: a SecureBoot image needs bios=ovmf")
		case image.SecureBoot && (efi == nil || efi["efitype"] != "4m"):
			return nil, errors.New("it does not boot: a SecureBoot image needs an efidisk0 with efitype=4m")
		}
		return &image, nil
	}
	return nil, fmt.Errorf("it does not boot: no Talos image on any device of its boot order %v", v.bootOrder())
}

// address returns the machine's loopback address, which its cloud-init data has.
func (c *cluster) address(v *vm, image *bootImage) (string, error) {
	if image.Platform != "nocloud" {
		return "", fmt.Errorf("it boots but cannot be reached: a %s image does not read cloud-init data and the lab has no DHCP; use a nocloud image", image.Platform)
	}
	if !v.hasCloudInit() {
		return "", errors.New("it boots but cannot be reached: it has no cloud-init drive and the lab has no DHCP")
	}
	config, err := ipConfig.parse("ipconfig0", v.value("ipconfig0", ""))
	prefix, parseErr := netip.ParsePrefix(config["ip"])
	if err != nil || parseErr != nil {
		return "", errors.New("it boots but cannot be reached: ipconfig0 gives no static IPv4 address and the lab has no DHCP")
	}
	address := prefix.Addr().String()
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
	letters := map[string]byte{"sd": 'a', "vd": 'a'}
	for _, bus := range []struct {
		name, device, transport string
		slots                   int
	}{{"scsi", "sd", "scsi", 31}, {"sata", "sd", "sata", 6}, {"virtio", "vd", "virtio", 16}} {
		for slot := range bus.slots {
			name := bus.name + strconv.Itoa(slot)
			drive := v.drive(name)
			if drive == nil || drive["media"] == "cdrom" {
				continue
			}
			transport, serial := bus.transport, drive["serial"]
			if transport == "scsi" && strings.HasPrefix(v.value("scsihw", "lsi"), "virtio-scsi") {
				transport = "virtio"
			}
			if serial == "" && bus.name != "virtio" {
				serial = "drive-" + name
			}
			disks = append(disks, labconfig.Disk{
				Device: "/dev/" + bus.device + string(letters[bus.device]), SizeGiB: int(mustParseSize(drive["size"]) >> 30),
				Transport: transport, Model: map[bool]string{false: "QEMU HARDDISK"}[bus.name == "virtio"], Serial: serial,
			})
			letters[bus.device]++
		}
	}
	return disks
}
