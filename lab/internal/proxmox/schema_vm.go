package proxmox

import "math"

// The configuration of a virtual machine. Source: Proxmox VE 9, qemu-server, PVE/QemuServer.pm and the modules it uses.

var (
	nicModels = []string{
		"e1000", "e1000-82540em", "e1000-82544gc", "e1000-82545em", "e1000e", "i82551", "i82557b", "i82559er",
		"ne2k_isa", "ne2k_pci", "pcnet", "rtl8139", "virtio", "vmxnet3",
	}
	networkDevice = func() schema {
		s := schema{
			"model": enum(nicModels...).asMain().need(), "macaddr": formatted(isMAC), "bridge": formatted(isBridgeID),
			"queues": integer(0, 64), "rate": number(0, math.Inf(1)), "tag": integer(1, 4094),
			"trunks": matching(`\d+(?:-\d+)?(?:;\d+(?:-\d+)?)*`), "firewall": flag(), "link_down": flag(),
			"mtu": integer(1, 65520), "host-tunnel": flag(),
		}
		for _, model := range nicModels {
			s[model] = property{alias: "macaddr", aliasOf: "model"}
		}
		return s
	}()
	ipConfig = schema{
		"ip": formatted(isIPv4Config), "gw": formatted(isIPv4).requiring("ip"),
		"ip6": formatted(isIPv6Config), "gw6": formatted(isIPv6).requiring("ip6"),
	}
	agentParts = schema{
		"enabled": flag().asMain().need(), "fstrim_cloned_disks": flag(), "freeze-fs": flag(),
		"freeze-fs-on-backup": {alias: "freeze-fs"}, "guest-fsfreeze": {alias: "freeze-fs"}, "type": enum("virtio", "isa"),
	}
	memoryParts = schema{"current": atLeast(16).asMain().need()}
	cpuParts    = schema{
		"cputype": text().asMain(), "reported-model": text(), "hidden": flag(),
		"hv-vendor-id": matching(`[a-zA-Z0-9]{1,12}`), "flags": matching(`[+-][\w.-]+(?:;[+-][\w.-]+)*`),
		"guest-phys-bits": integer(32, 64), "phys-bits": formatted(isPhysBits), "level": integer(0, 4294967295),
	}
	tdxParts = schema{
		"type": enum("tdx").asMain().need(), "attestation": flag().need(), "vsock-cid": atLeast(2), "vsock-port": atLeast(0),
	}
	bootParts = schema{
		"legacy": matching(`[acdn]{1,4}`).asMain(), "order": formatted(each(isBootDevice)),
	}
	smbiosText  = matching(`[A-Za-z0-9+/]+={0,2}`)
	smbiosParts = schema{
		"uuid": matching(uuidPattern), "version": smbiosText, "serial": smbiosText, "manufacturer": smbiosText,
		"product": smbiosText, "sku": smbiosText, "family": smbiosText, "base64": flag(),
	}
	machineParts = schema{
		"type":   matching(`pc|pc(-i440fx)?-\d+(\.\d+)+(\+pve\d+)?(\.pxe)?|q35|pc-q35-\d+(\.\d+)+(\+pve\d+)?(\.pxe)?|virt(?:-\d+(\.\d+)+)?(\+pve\d+)?`).upTo(40).asMain(),
		"viommu": enum("intel", "virtio"), "aw-bits": number(32, 64), "enable-s3": flag(), "enable-s4": flag(),
	}
	vgaParts = schema{
		"type": enum("cirrus", "qxl", "qxl2", "qxl3", "qxl4", "none", "serial0", "serial1", "serial2", "serial3", "std",
			"virtio", "virtio-gl", "vmware").asMain(),
		"memory": integer(4, 512), "clipboard": enum("vnc"),
	}
	watchdogParts = schema{
		"model": enum("i6300esb", "ib700").asMain(), "action": enum("reset", "shutdown", "poweroff", "pause", "debug", "none"),
	}
	pciParts = schema{
		"host":    matching(`(?:[a-f0-9]{4,}:)?[a-f0-9]{2}:[a-f0-9]{2}(?:\.[a-f0-9])?(?:;(?:[a-f0-9]{4,}:)?[a-f0-9]{2}:[a-f0-9]{2}(?:\.[a-f0-9])?)*`).asMain(),
		"mapping": formatted(isConfigID), "rombar": flag(), "romfile": matching(`[^,;]+`), "pcie": flag(), "x-vga": flag(),
		"legacy-igd": flag(), "mdev": matching(`[^/.:]+`), "vendor-id": hex4, "device-id": hex4, "sub-vendor-id": hex4,
		"sub-device-id": hex4, "driver": enum("vfio", "keep"),
	}
	hex4     = matching(`0x[0-9a-fA-F]{4}`)
	usbParts = schema{
		"host":    matching(`(?:0x)?[0-9A-Fa-f]{4}:(?:0x)?[0-9A-Fa-f]{4}|\d+-\d+(?:\.\d+)*|[Ss][Pp][Ii][Cc][Ee]`).asMain(),
		"mapping": formatted(isConfigID), "usb3": flag(),
	}
	rngParts = schema{
		"source": enum("/dev/urandom", "/dev/random", "/dev/hwrng").asMain().need(), "max_bytes": anyInteger(), "period": anyInteger(),
	}
	virtiofsParts = schema{
		"dirid": formatted(isConfigID).asMain().need(), "cache": enum("auto", "always", "metadata", "never"),
		"direct-io": flag(), "expose-xattr": flag(), "expose-acl": flag(),
	}
	numaParts = schema{
		"cpus": matching(`\d+(?:-\d+)?(?:;\d+(?:-\d+)?)*`).need(), "memory": number(0, math.Inf(1)),
		"hostnodes": matching(`\d+(?:-\d+)?(?:;\d+(?:-\d+)?)*`), "policy": enum("preferred", "bind", "interleave"),
	}
	cloudInitFiles = schema{
		"meta": formatted(isVolumeID), "network": formatted(isVolumeID), "user": formatted(isVolumeID), "vendor": formatted(isVolumeID),
	}
)

const uuidPattern = `[a-fA-F0-9]{8}(?:-[a-fA-F0-9]{4}){3}-[a-fA-F0-9]{12}`

// vmConfig are the properties of a virtual machine's configuration.
var vmConfig = with(
	driveParameters,
	numbered("net", 32, parts(networkDevice)), numbered("ipconfig", 32, parts(ipConfig)),
	numbered("serial", 4, matching(`/dev/.+|socket`)), numbered("parallel", 3, matching(`/dev/parport\d+|/dev/usb/lp\d+`)),
	numbered("hostpci", 16, parts(pciParts)), numbered("usb", 14, parts(usbParts)), numbered("numa", 8, parts(numaParts)),
	numbered("virtiofs", 10, parts(virtiofsParts)), numbered("unused", 256, parts(unusedDrive)),
	schema{
		"onboot": flag(), "autostart": flag(), "reboot": flag(), "acpi": flag(), "kvm": flag(), "tdf": flag(), "localtime": flag(),
		"freeze": flag(), "template": flag(), "tablet": flag(), "protection": flag(), "keephugepages": flag(), "allow-ksm": flag(),
		"numa": flag(), "ciupgrade": flag(),
		"hotplug": formatted(isHotplug), "name": formatted(isDNSName), "description": text().upTo(8192),
		"tags": formatted(each(isTag)), "startup": formatted(isStartupOrder), "affinity": formatted(isCPUSet),
		"lock":     enum("backup", "clone", "create", "migrate", "rollback", "snapshot", "snapshot-delete", "suspending", "suspended"),
		"cpulimit": number(0, 128), "cpuunits": integer(1, 262144), "smp": atLeast(1), "sockets": atLeast(1), "cores": atLeast(1),
		"vcpus": atLeast(1), "memory": parts(memoryParts), "balloon": atLeast(0), "shares": integer(0, 50000),
		"hugepages": enum("any", "2", "1024"), "migrate_speed": atLeast(0), "migrate_downtime": number(0, math.Inf(1)),
		"keyboard": enum("de", "de-ch", "da", "en-gb", "en-us", "es", "fi", "fr", "fr-be", "fr-ca", "fr-ch", "hu", "is", "it", "ja",
			"lt", "mk", "nl", "no", "pl", "pt", "pt-br", "sv", "sl", "tr"),
		"scsihw": enum("lsi", "lsi53c810", "virtio-scsi-pci", "virtio-scsi-single", "megasas", "pvscsi"),
		"ostype": enum("other", "wxp", "w2k", "w2k3", "w2k8", "wvista", "win7", "win8", "win10", "win11", "l24", "l26", "solaris"),
		"boot":   parts(bootParts), "bootdisk": formatted(isBootDisk), "agent": parts(agentParts),
		"vga": parts(vgaParts), "watchdog": parts(watchdogParts), "args": text(), "cdrom": parts(ideDrive), "cpu": parts(cpuParts).checkedBy(checkCPU),
		"startdate":      matching(`now|\d{4}-\d{1,2}-\d{1,2}(?:T\d{1,2}:\d{1,2}:\d{1,2})?`),
		"vmstatestorage": formatted(isStorageID), "machine": parts(machineParts), "arch": enum("x86_64", "aarch64"),
		"smbios1": parts(smbiosParts).upTo(512), "bios": enum("seabios", "ovmf"), "vmgenid": matching(uuidPattern + `|[01]`),
		"hookscript":         formatted(isVolumeID),
		"ivshmem":            parts(schema{"size": atLeast(1).need(), "name": matching(`[a-zA-Z0-9-]+`)}),
		"audio0":             parts(schema{"device": enum("ich9-intel-hda", "intel-hda", "AC97").need(), "driver": enum("spice", "none")}),
		"spice_enhancements": parts(schema{"foldersharing": flag(), "videostreaming": enum("off", "all", "filter")}),
		"rng0":               parts(rngParts),
		"intel-tdx":          parts(tdxParts),
		"amd-sev":            parts(schema{"type": enum("std", "es", "snp").asMain().need(), "no-debug": flag(), "no-key-sharing": flag(), "allow-smt": flag(), "kernel-hashes": flag()}),
		"citype":             enum("configdrive2", "nocloud", "opennebula"), "ciuser": text(), "cipassword": text(),
		"cicustom": parts(cloudInitFiles), "searchdomain": text(), "nameserver": formatted(each(isAddress)),
		"sshkeys": formatted(isURLEncoded),
	},
)
