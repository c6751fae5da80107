package talos

import (
	"fmt"
	"net/netip"
	"path/filepath"

	humanize "github.com/dustin/go-humanize"
	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/nethelpers"
	"github.com/siderolabs/talos/pkg/machinery/resources/block"
	configres "github.com/siderolabs/talos/pkg/machinery/resources/config"
	"github.com/siderolabs/talos/pkg/machinery/resources/etcd"
	"github.com/siderolabs/talos/pkg/machinery/resources/kubeaccess"
	"github.com/siderolabs/talos/pkg/machinery/resources/network"
	"github.com/siderolabs/talos/pkg/machinery/resources/runtime"
)

// publishBooted publishes what a person looks for on a booted machine, whatever its configuration.
func (b *boot) publishBooted() {
	put(b, runtime.NewKernelCmdline(), func(r *runtime.KernelCmdline) {
		r.TypedSpec().Cmdline = "talos.platform=" + b.machine.platform() + " console=tty0 init_on_alloc=1 slab_nomerge pti=on"
	})
	record := b.machine.kept()
	if record.Installed {
		put(b, runtime.NewBootedEntrySpec(), func(r *runtime.BootedEntry) {
			r.TypedSpec().BootedEntry = "Talos-" + b.image.Version + ".efi"
		})
	}
	for _, disk := range b.machine.spec.Disks {
		b.publishVolume(filepath.Base(disk.Device), "disk", "", uint64(disk.SizeGiB)*gib)
	}
	if !record.Installed || record.SystemDisk == "" {
		return
	}
	for index, label := range systemVolumes {
		id := fmt.Sprintf("%s%d", filepath.Base(record.SystemDisk), index+4)
		b.publishVolume(id, "partition", label, volumeSize(label, b.machine.systemDiskGiB()))
	}
}

// publishVolume publishes a disk or partition as it is found on the machine.
func (b *boot) publishVolume(id, kind, label string, size uint64) {
	put(b, block.NewDiscoveredVolume(block.NamespaceName, id), func(r *block.DiscoveredVolume) {
		spec := r.TypedSpec()
		spec.Type, spec.DevPath, spec.Size, spec.PrettySize, spec.SectorSize = kind, "/dev/"+id, size, humanize.Bytes(size), 512
		spec.Name, spec.PartitionLabel = "gpt", label
		if kind == "partition" {
			spec.Parent, spec.ParentDevPath = filepath.Base(b.machine.kept().SystemDisk), b.machine.kept().SystemDisk
			spec.Name = map[string]string{"META": "talosmeta"}[label]
			if label != "META" {
				spec.Name, spec.Label = "xfs", label
			}
		}
	})
}

// publishConfigured publishes what follows from the configuration.
func (b *boot) publishConfigured(cfg config.Provider, name string) {
	for _, mount := range []struct{ label, target string }{{"STATE", "/system/state"}, {"EPHEMERAL", "/var"}} {
		put(b, runtime.NewMountStatus(runtime.NamespaceName, mount.label), func(r *runtime.MountStatus) {
			for index, label := range systemVolumes {
				if label == mount.label {
					r.TypedSpec().Source = fmt.Sprintf("%s%d", b.machine.kept().SystemDisk, index+4)
				}
			}
			r.TypedSpec().Target, r.TypedSpec().FilesystemType = mount.target, "xfs"
		})
	}
	put(b, network.NewTimeServerStatus(network.NamespaceName, network.TimeServerID), func(r *network.TimeServerStatus) {
		r.TypedSpec().NTPServers = b.timeServers()
	})
	put(b, kubeaccess.NewConfig(configres.NamespaceName, kubeaccess.ConfigID), func(r *kubeaccess.Config) {
		access := cfg.Machine().Features().KubernetesTalosAPIAccess()
		r.TypedSpec().Enabled = access.Enabled()
		if access.Enabled() {
			r.TypedSpec().AllowedAPIRoles, r.TypedSpec().AllowedKubernetesNamespaces = access.AllowedRoles(), access.AllowedKubernetesNamespaces()
		}
	})
	if !cfg.Machine().Type().IsControlPlane() {
		return
	}
	put(b, etcd.NewSpec(etcd.NamespaceName, etcd.SpecID), func(r *etcd.Spec) {
		spec, here := r.TypedSpec(), []netip.Addr{b.machine.address}
		spec.Name, spec.Image = name, cfg.Cluster().Etcd().Image()
		spec.AdvertisedAddresses, spec.ListenPeerAddresses, spec.ListenClientAddresses = here, here, here
	})
}

// gateway is the first address of the machine's network.
func (b *boot) gateway() netip.Addr {
	octets := b.machine.address.As4()
	return netip.AddrFrom4([4]byte{octets[0], octets[1], octets[2], 1})
}

// publishRoutes publishes the routes, resolvers and state of the machine's network.
func (b *boot) publishRoutes() {
	gateway := b.gateway()
	route := func(id string, destination netip.Prefix, gateway netip.Addr) {
		put(b, network.NewRouteStatus(network.NamespaceName, id), func(r *network.RouteStatus) {
			spec := r.TypedSpec()
			spec.Family, spec.Destination, spec.Gateway, spec.OutLinkName, spec.OutLinkIndex = nethelpers.FamilyInet4, destination, gateway, linkName, 2
			spec.Table, spec.Scope, spec.Type = nethelpers.TableMain, nethelpers.ScopeGlobal, nethelpers.TypeUnicast
			spec.Protocol, spec.Priority = nethelpers.ProtocolStatic, 1024
		})
	}
	here := netip.PrefixFrom(b.machine.address, 24).Masked()
	route("inet4/"+gateway.String()+"//1024", netip.Prefix{}, gateway)
	route("inet4//"+here.String()+"/1024", here, netip.Addr{})
	put(b, network.NewResolverStatus(network.NamespaceName, network.ResolverID), func(r *network.ResolverStatus) {
		r.TypedSpec().DNSServers = []netip.Addr{gateway}
	})
	put(b, network.NewStatus(network.NamespaceName, network.StatusID), func(r *network.Status) {
		*r.TypedSpec() = network.StatusSpec{AddressReady: true, ConnectivityReady: true, HostnameReady: true, EtcFilesReady: true}
	})
}
