package talos

import (
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"

	humanize "github.com/dustin/go-humanize"
	"github.com/siderolabs/talos/pkg/machinery/nethelpers"
	"github.com/siderolabs/talos/pkg/machinery/resources/block"
	"github.com/siderolabs/talos/pkg/machinery/resources/hardware"
	"github.com/siderolabs/talos/pkg/machinery/resources/network"
	"github.com/siderolabs/talos/pkg/machinery/resources/runtime"
	timeres "github.com/siderolabs/talos/pkg/machinery/resources/time"
	"hearth.dev/lab/internal/labconfig"
)

func lower(text string) string { return strings.ToLower(text) }

const (
	gib = 1 << 30
	// linkName is Talos's name for the machine's only network interface.
	linkName = "eth0"
)

// publishHardware publishes the machine's hardware, which is known without a configuration.
func (b *boot) publishHardware() {
	spec := b.machine.spec
	for _, disk := range spec.Disks {
		b.publishDisk(disk)
	}
	put(b, hardware.NewSystemInformation(hardware.SystemInformationID), func(r *hardware.SystemInformation) {
		r.TypedSpec().Manufacturer, r.TypedSpec().ProductName = "QEMU", "Hearth lab machine"
		r.TypedSpec().UUID = spec.UUID
	})
	put(b, hardware.NewProcessorInfo("CPU-0"), func(r *hardware.Processor) {
		r.TypedSpec().Socket, r.TypedSpec().ProductName = "CPU 0", "Hearth lab processor"
		r.TypedSpec().CoreCount, r.TypedSpec().CoreEnabled = uint32(spec.Cores), uint32(spec.Cores)
		r.TypedSpec().ThreadCount = uint32(spec.Cores)
	})
	put(b, hardware.NewMemoryModuleInfo("DIMM-0"), func(r *hardware.MemoryModule) {
		r.TypedSpec().DeviceLocator, r.TypedSpec().Size = "DIMM 0", uint32(spec.MemoryMiB)
	})
	put(b, runtime.NewSecurityStateSpec(runtime.NamespaceName), func(r *runtime.SecurityState) {
		r.TypedSpec().SecureBoot, r.TypedSpec().BootedWithUKI = b.machine.secureBoot(), b.machine.secureBoot()
	})
	put(b, runtime.NewPlatformMetadataSpec(runtime.NamespaceName, runtime.PlatformMetadataID), func(r *runtime.PlatformMetadata) {
		r.TypedSpec().Platform = b.machine.platform()
		r.TypedSpec().InstanceID = spec.UUID
	})
	put(b, runtime.NewVersion(), func(r *runtime.Version) {
		r.TypedSpec().Name, r.TypedSpec().Version = "Talos", b.image.Version
	})
	b.publishExtensions()
	b.publishMeta()
	b.publishBooted()
	b.publishSystem()
	b.publishNetworkSpecs(nil, "")
	put(b, timeres.NewStatus(), func(r *timeres.Status) { r.TypedSpec().Synced = true })
	b.publishNetwork()
}

func (b *boot) publishDisk(disk labconfig.Disk) {
	id := filepath.Base(disk.Device)
	size := uint64(disk.SizeGiB) * gib
	put(b, block.NewDisk(block.NamespaceName, id), func(r *block.Disk) {
		spec := r.TypedSpec()
		spec.DevPath, spec.Size, spec.PrettySize = disk.Device, size, humanize.Bytes(size)
		spec.IOSize, spec.SectorSize = 512, 512
		spec.Model, spec.Serial, spec.Transport = disk.Model, disk.Serial, disk.Transport
		spec.SubSystem = "/sys/class/block"
		spec.BusPath = fmt.Sprintf("/pci0000:00/0000:00:05.0/%s/%s", disk.Transport, id)
		if disk.Serial != "" {
			spec.Symlinks = []string{fmt.Sprintf("/dev/disk/by-id/%s-%s_%s", disk.Transport, disk.Model, disk.Serial)}
		}
	})
	put(b, block.NewDevice(block.NamespaceName, id), func(r *block.Device) {
		r.TypedSpec().Type, r.TypedSpec().DevicePath = block.DeviceTypeDisk, disk.Device
	})
}

// publishInstalled publishes the system disk and its volumes.
func (b *boot) publishInstalled() {
	record := b.machine.kept()
	if !record.Installed || record.SystemDisk == "" {
		return
	}
	put(b, block.NewSystemDisk(block.NamespaceName, block.SystemDiskID), func(r *block.SystemDisk) {
		r.TypedSpec().DevPath, r.TypedSpec().DiskID = record.SystemDisk, filepath.Base(record.SystemDisk)
	})
	for index, label := range systemVolumes {
		size := volumeSize(label, b.machine.systemDiskGiB())
		put(b, block.NewVolumeStatus(block.NamespaceName, label), func(r *block.VolumeStatus) {
			r.TypedSpec().Size, r.TypedSpec().PrettySize = size, humanize.Bytes(size)
			r.TypedSpec().Phase, r.TypedSpec().Type = block.VolumePhaseReady, block.VolumeTypePartition
			r.TypedSpec().ParentLocation = record.SystemDisk
			r.TypedSpec().PartitionIndex = index + 4
			r.TypedSpec().Location = fmt.Sprintf("%s%d", record.SystemDisk, index+4)
			r.TypedSpec().MountLocation = r.TypedSpec().Location
			if how := b.machine.volumes[label]; how.slot != nil {
				r.TypedSpec().EncryptionProvider, r.TypedSpec().MountLocation = block.EncryptionProviderLUKS2, "/dev/dm-"+strconv.Itoa(index)
				r.TypedSpec().EncryptionSlot, r.TypedSpec().ConfiguredEncryptionKeys = how.slot, how.keys
				r.TypedSpec().EncryptionFailedSyncs = how.failed
			}
		})
	}
}

// systemVolumes are Talos's partitions from the fourth on.
var systemVolumes = []string{"META", "STATE", "EPHEMERAL"}

// volumeSize returns a volume's size. META and STATE are small. EPHEMERAL gets the rest of the disk.
func volumeSize(label string, diskGiB int) uint64 {
	const mib = 1 << 20
	switch label {
	case "META":
		return mib
	case "STATE":
		return 100 * mib
	}
	return uint64(max(0, diskGiB*gib-2200*mib))
}

func (b *boot) publishNetwork() {
	b.publishRoutes()
	prefix := netip.PrefixFrom(b.machine.address, 24)
	put(b, network.NewLinkStatus(network.NamespaceName, linkName), func(r *network.LinkStatus) {
		spec := r.TypedSpec()
		spec.Index, spec.Type, spec.MTU = 2, nethelpers.LinkEther, 1500
		spec.OperationalState, spec.LinkState = nethelpers.OperStateUp, true
		if mac, err := net.ParseMAC(b.machine.spec.MAC); err == nil {
			spec.HardwareAddr, spec.PermanentAddr = nethelpers.HardwareAddr(mac), nethelpers.HardwareAddr(mac)
		}
	})
	put(b, network.NewAddressStatus(network.NamespaceName, linkName+"/"+prefix.String()), func(r *network.AddressStatus) {
		r.TypedSpec().Address, r.TypedSpec().LinkName, r.TypedSpec().LinkIndex = prefix, linkName, 2
		r.TypedSpec().Family = nethelpers.FamilyInet4
	})
	for _, id := range []string{network.NodeAddressDefaultID, network.NodeAddressCurrentID, network.NodeAddressRoutedID} {
		put(b, network.NewNodeAddress(network.NamespaceName, id), func(r *network.NodeAddress) {
			r.TypedSpec().Addresses = []netip.Prefix{prefix}
		})
	}
}
