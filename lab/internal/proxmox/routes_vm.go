package proxmox

import (
	"slices"
	"strconv"
)

// On what a call needs: Proxmox VE 9, qemu-server, PVE/API2/Qemu.pm and PVE/API2/Qemu/Agent.pm.
var (
	seesVM    = []access{needs("/vms/{vmid}", "VM.Audit")}
	powersVM  = []access{needs("/vms/{vmid}", "VM.PowerMgmt")}
	changesVM = []access{needsAny("/vms/{vmid}", "VM.Config.Disk", "VM.Config.CDROM", "VM.Config.CPU", "VM.Config.Memory",
		"VM.Config.Network", "VM.Config.HWType", "VM.Config.Options", "VM.Config.Cloudinit")}
	usesAgent = []access{needsAny("/vms/{vmid}", "VM.GuestAgent.Audit", "VM.GuestAgent.Unrestricted")}

	driveName         = enum(driveNames()...)
	driveOrUnusedName = enum(append(driveNames(), names("unused", 256)...)...)
)

// driveNames are the drives in the order in which Proxmox lists them.
func driveNames() []string {
	return slices.Concat(names("ide", 4), names("scsi", 31), names("virtio", 16), names("sata", 6), []string{"efidisk0", "tpmstate0"})
}

// names are name0 to name<count-1>.
func names(name string, count int) []string {
	var all []string
	for i := range count {
		all = append(all, name+strconv.Itoa(i))
	}
	return all
}

const qemu = "/nodes/{node}/qemu"

var vmEndpoints = []endpoint{
	{"GET", qemu, schema{"full": flag()}, nil, listVMs},
	{"POST", qemu, with(vmConfig, createOnly), nil, createVM},
	{"DELETE", qemu + "/{vmid}", schema{"skiplock": flag(), "purge": flag(), "destroy-unreferenced-disks": flag()},
		[]access{needs("/vms/{vmid}", "VM.Allocate")}, destroyVM},
	{"GET", qemu + "/{vmid}/config", schema{"current": flag(), "snapshot": formatted(isConfigID)}, seesVM, getConfig},
	{"PUT", qemu + "/{vmid}/config", with(vmConfig, updateOnly), changesVM, updateVM},
	{"POST", qemu + "/{vmid}/config", with(vmConfig, updateLaterOnly), changesVM, updateVMLater},
	{"GET", qemu + "/{vmid}/pending", nil, seesVM, getPending},
	{"PUT", qemu + "/{vmid}/cloudinit", nil, []access{needs("/vms/{vmid}", "VM.Config.Cloudinit")}, rebuildCloudInit},
	{"PUT", qemu + "/{vmid}/resize", schema{
		"disk": driveName.need(), "size": matching(`\+?\d+(\.\d+)?[KMGT]?`).need(), "digest": digest, "skiplock": flag(),
	}, []access{needs("/vms/{vmid}", "VM.Config.Disk")}, resizeDisk},
	{"POST", qemu + "/{vmid}/move_disk", schema{
		"disk": driveOrUnusedName.need(), "storage": formatted(isStorageID), "format": enum("raw", "qcow2", "vmdk"), "delete": flag(),
		"digest": digest, "bwlimit": atLeast(0), "target-vmid": vmID, "target-disk": driveOrUnusedName, "target-digest": digest,
	}, []access{needs("/vms/{vmid}", "VM.Config.Disk")}, moveDisk},
	{"POST", qemu + "/{vmid}/migrate", migration, []access{needs("/vms/{vmid}", "VM.Migrate")}, migrateVM},
	{"POST", qemu + "/{vmid}/clone", cloning, []access{
		needs("/vms/{vmid}", "VM.Clone"), needsOneOf(needs("/vms/{newid}", "VM.Allocate"), needs("/pool/{pool}", "VM.Allocate")),
	}, cloneVM},
	{"POST", qemu + "/{vmid}/template", schema{"disk": driveName}, []access{needs("/vms/{vmid}", "VM.Allocate")}, makeTemplate},
	{"GET", qemu + "/{vmid}/status/current", nil, seesVM, currentStatus},
	{"POST", qemu + "/{vmid}/status/start", schema{
		"skiplock": flag(), "stateuri": text().upTo(128), "migratedfrom": formatted(isNodeName), "migration_type": enum("secure", "insecure"),
		"migration_network": text(), "machine": parts(machineParts), "force-cpu": text(), "targetstorage": text(), "timeout": atLeast(0),
	}, powersVM, startVM},
	{"POST", qemu + "/{vmid}/status/stop", schema{
		"skiplock": flag(), "migratedfrom": formatted(isNodeName), "timeout": atLeast(0), "keepActive": flag(), "overrule-shutdown": flag(),
	}, powersVM, stopVM},
	{"POST", qemu + "/{vmid}/status/shutdown", schema{"skiplock": flag(), "timeout": atLeast(0), "forceStop": flag(), "keepActive": flag()},
		powersVM, shutdownVM},
	{"POST", qemu + "/{vmid}/status/reboot", schema{"timeout": atLeast(0)}, powersVM, rebootVM},
	{"POST", qemu + "/{vmid}/status/reset", schema{"skiplock": flag()}, powersVM, resetVM},
	{"POST", qemu + "/{vmid}/agent/ping", nil, usesAgent, agentPing},
	{"GET", qemu + "/{vmid}/agent/network-get-interfaces", nil, usesAgent, agentInterfaces},
}

// rebuildCloudInit has nothing to write: a machine reads its cloud-init data from the configuration when it starts.
func rebuildCloudInit(c *call) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, err := c.vmOf()
	if err != nil {
		return nil, err
	}
	if !v.hasCloudInit() {
		return nil, fail("no cloud-init drive found")
	}
	return nil, nil
}
