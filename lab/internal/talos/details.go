package talos

import (
	"fmt"
	"maps"
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/cosi-project/runtime/pkg/resource"
	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/constants"
	"github.com/siderolabs/talos/pkg/machinery/resources/block"
	"github.com/siderolabs/talos/pkg/machinery/resources/cluster"
	configres "github.com/siderolabs/talos/pkg/machinery/resources/config"
	"github.com/siderolabs/talos/pkg/machinery/resources/cri"
	"github.com/siderolabs/talos/pkg/machinery/resources/files"
	"github.com/siderolabs/talos/pkg/machinery/resources/hardware"
	"github.com/siderolabs/talos/pkg/machinery/resources/perf"
	"github.com/siderolabs/talos/pkg/machinery/resources/runtime"
	"github.com/siderolabs/talos/pkg/machinery/resources/secrets"
	timeres "github.com/siderolabs/talos/pkg/machinery/resources/time"
)

// kernelParams are the kernel's parameters that Talos sets. Source: siderolabs/talos v1.13.9,
// internal/app/machined/pkg/controllers/runtime/kernel_param_defaults.go.
var kernelParams = map[string]string{
	"net.ipv4.ip_forward": "1", "net.ipv4.icmp_ignore_bogus_error_responses": "1", "net.ipv4.icmp_echo_ignore_broadcasts": "1",
	"net.ipv4.ip_local_reserved_ports":    fmt.Sprintf("%d,%d", constants.ApidPort, constants.TrustdPort),
	"net.bridge.bridge-nf-call-iptables":  "1",
	"net.bridge.bridge-nf-call-ip6tables": "1", "kernel.ctrl-alt-del": "0", "net.ipv6.conf.default.forwarding": "1",
	"net.ipv6.conf.default.accept_ra": "2", "net.ipv4.tcp_keepalive_time": "600", "net.ipv4.tcp_keepalive_intvl": "60",
	"kernel.panic": "10", "kernel.pid_max": "262144", "vm.overcommit_memory": "1", "fs.inotify.max_user_instances": "8192",
	"fs.aio-max-nr": "1048576",
}

// publishSystem publishes what a machine has with or without a configuration.
func (b *boot) publishSystem() {
	put(b, runtime.NewDevicesStatus(runtime.NamespaceName, runtime.DevicesID), func(r *runtime.DevicesStatus) { r.TypedSpec().Ready = true })
	put(b, runtime.NewMetaLoaded(), func(r *runtime.MetaLoaded) { r.TypedSpec().Done = true })
	put(b, timeres.NewAdjtimeStatus(), func(r *timeres.AdjtimeStatus) {
		r.TypedSpec().Status, r.TypedSpec().State, r.TypedSpec().SyncStatus, r.TypedSpec().Constant = "STA_PLL | STA_NANO", "TIME_OK", true, 6
	})
	put(b, block.NewDiscoveryRefreshStatus(block.NamespaceName, block.RefreshID), func(*block.DiscoveryRefreshStatus) {})
	for id, device := range b.pciDevices() {
		put(b, hardware.NewPCIDeviceInfo(id), func(r *hardware.PCIDevice) { *r.TypedSpec() = device })
	}
	b.publishParams(nil)
	b.publishPerformance()
}

// pciDevices are those of a virtual machine of QEMU with VirtIO: its host bridge, its network interface and its disks' controller. The
// numbers are those of the PCI ID repository.
func (b *boot) pciDevices() map[string]hardware.PCIDeviceSpec {
	const redHat, intel = "Red Hat, Inc.", "Intel Corporation"
	all := map[string]hardware.PCIDeviceSpec{
		"0000:00:00.0": {
			Class: "Bridge", Subclass: "Host bridge", Vendor: intel, Product: "82G33/G31/P35/P31 Express DRAM Controller",
			ClassID: "0x06", SubclassID: "0x00", VendorID: "0x8086", ProductID: "0x29c0",
		},
		"0000:00:12.0": {
			Class: "Network controller", Subclass: "Ethernet controller", Vendor: redHat, Product: "Virtio network device",
			ClassID: "0x02", SubclassID: "0x00", VendorID: "0x1af4", ProductID: "0x1000", Driver: "virtio-pci",
		},
	}
	if len(b.machine.spec.Disks) > 0 {
		all["0000:00:05.0"] = hardware.PCIDeviceSpec{
			Class: "Mass storage controller", Subclass: "SCSI storage controller", Vendor: redHat, Product: "Virtio SCSI",
			ClassID: "0x01", SubclassID: "0x00", VendorID: "0x1af4", ProductID: "0x1004", Driver: "virtio-pci",
		}
	}
	return all
}

// pciList are the devices in the form of /proc/bus/pci/devices: bus and slot, IDs, interrupt, seven base addresses, seven sizes and
// the driver.
func (b *boot) pciList() string {
	list := ""
	devices := b.pciDevices()
	for _, id := range slices.Sorted(maps.Keys(devices)) {
		var bus, slot, function int
		fmt.Sscanf(strings.TrimPrefix(id, "0000:"), "%02x:%02x.%d", &bus, &slot, &function)
		device := devices[id]
		list += fmt.Sprintf("%02x%02x\t%s%s\t0%s\t%s\n", bus, slot<<3|function, strings.TrimPrefix(device.VendorID, "0x"),
			strings.TrimPrefix(device.ProductID, "0x"), strings.Repeat("\t0", 14), device.Driver)
	}
	return list
}

// publishParams publishes the kernel's parameters: Talos' own, and those of machine.sysctls.
func (b *boot) publishParams(configured map[string]string) {
	wanted := maps.Clone(kernelParams)
	maps.Copy(wanted, configured)
	ids := map[resource.ID]bool{}
	for name, value := range wanted {
		id := "proc.sys." + name
		ids[id] = true
		if fallback, isDefault := kernelParams[name]; isDefault {
			put(b, runtime.NewKernelParamDefaultSpec(runtime.NamespaceName, id), func(r *runtime.KernelParamDefaultSpec) { r.TypedSpec().Value = fallback })
		}
		if _, isConfigured := configured[name]; isConfigured {
			put(b, runtime.NewKernelParamSpec(runtime.NamespaceName, id), func(r *runtime.KernelParamSpec) { r.TypedSpec().Value = value })
		} else {
			b.drop(runtime.NewKernelParamSpec(runtime.NamespaceName, id).Metadata())
		}
		put(b, runtime.NewKernelParamStatus(runtime.NamespaceName, id), func(r *runtime.KernelParamStatus) { r.TypedSpec().Current = value })
	}
	b.keepOnly(runtime.NewKernelParamStatus(runtime.NamespaceName, "").Metadata(), ids)
}

// performanceInterval is how often Talos measures. Source: siderolabs/talos v1.13.9,
// internal/app/machined/pkg/controllers/perf/perf.go.
const performanceInterval = 30 * time.Second

// publishPerformance publishes the use of processors and memory that SystemStat and Memory answer.
func (b *boot) publishPerformance() {
	total, used := b.memoryUse()
	put(b, perf.NewMemory(), func(r *perf.Memory) {
		spec := r.TypedSpec()
		spec.MemTotal, spec.MemUsed, spec.MemAvailable, spec.AnonPages, spec.Active = total, used, total-used, used, used
	})
	each, all := b.processorTimes()
	put(b, perf.NewCPU(), func(r *perf.CPU) {
		spec := r.TypedSpec()
		spec.CPU = make([]perf.CPUStat, b.machine.spec.Cores)
		for core := range spec.CPU {
			spec.CPU[core] = perf.CPUStat{User: each.User, System: each.System, Idle: each.Idle}
		}
		spec.CPUTotal = perf.CPUStat{User: all.User, System: all.System, Idle: all.Idle}
		spec.ProcessCreated, spec.ProcessRunning = uint64(len(b.running())), 1
	})
}

// publishDetails publishes what controllers of Talos derive from the configuration.
func (b *boot) publishDetails(cfg config.Provider, name string) {
	b.publishNetworkSpecs(cfg, name)
	b.publishParams(cfg.Machine().Sysctls())
	modules := map[resource.ID]bool{}
	for _, module := range cfg.Machine().Kernel().Modules() {
		modules[module.Name()] = true
		put(b, runtime.NewKernelModuleSpec(runtime.NamespaceName, module.Name()), func(r *runtime.KernelModuleSpec) {
			r.TypedSpec().Name, r.TypedSpec().Parameters = module.Name(), module.Parameters()
		})
		put(b, runtime.NewLoadedKernelModule(runtime.NamespaceName, module.Name()), func(r *runtime.LoadedKernelModule) { r.TypedSpec().State = "Live" })
	}
	b.keepOnly(runtime.NewKernelModuleSpec(runtime.NamespaceName, "").Metadata(), modules)
	b.publishWatchdog(cfg)
	b.publishFiles()
	put(b, runtime.NewAPIServiceConfig(), func(r *runtime.APIServiceConfig) {
		r.TypedSpec().ListenAddress = fmt.Sprintf(":%d", constants.ApidPort)
		r.TypedSpec().NodeRoutingDisabled = !cfg.Machine().Type().IsControlPlane()
	})
	put(b, block.NewUserDiskConfigStatus(block.NamespaceName, block.UserDiskConfigStatusID), func(r *block.UserDiskConfigStatus) { r.TypedSpec().Ready = true })
	put(b, cri.NewImageCacheConfig(), func(r *cri.ImageCacheConfig) {
		r.TypedSpec().Status, r.TypedSpec().CopyStatus = cri.ImageCacheStatusDisabled, cri.ImageCacheCopyStatusSkipped
	})
	put(b, cluster.NewConfig(configres.NamespaceName, cluster.ConfigID), func(r *cluster.Config) { discoveryConfig(r.TypedSpec(), cfg) })
	put(b, secrets.NewOSRoot(secrets.OSRootID), func(r *secrets.OSRoot) {
		security := cfg.Machine().Security()
		r.TypedSpec().IssuingCA, r.TypedSpec().AcceptedCAs, r.TypedSpec().Token = security.IssuingCA(), security.AcceptedCAs(), security.Token()
	})
	put(b, secrets.NewCertSAN(secrets.NamespaceName, secrets.CertSANAPIID), func(r *secrets.CertSAN) {
		*r.TypedSpec() = secrets.CertSANSpec{FQDN: name}
		for _, host := range apiHosts(cfg, name, b.machine.address, vips(cfg)) {
			if address, err := netip.ParseAddr(host); err == nil {
				r.TypedSpec().IPs = append(r.TypedSpec().IPs, address)
			} else {
				r.TypedSpec().DNSNames = append(r.TypedSpec().DNSNames, host)
			}
		}
	})
	put(b, cri.NewRegistriesConfig(), func(r *cri.RegistriesConfig) {
		r.TypedSpec().RegistryMirrors = map[string]*cri.RegistryMirrorConfig{}
		for host, mirror := range cfg.RegistryMirrorConfigs() {
			all := &cri.RegistryMirrorConfig{MirrorSkipFallback: mirror.SkipFallback()}
			for _, endpoint := range mirror.Endpoints() {
				all.MirrorEndpoints = append(all.MirrorEndpoints, cri.RegistryEndpointConfig{
					EndpointEndpoint: endpoint.Endpoint(), EndpointOverridePath: endpoint.OverridePath(),
				})
			}
			r.TypedSpec().RegistryMirrors[host] = all
		}
	})
	b.publishVolumeConfigs()
	b.publishKubernetesDetails(cfg)
}

// publishVolumeConfigs publishes what the machine's own volumes are to be. Source: siderolabs/talos v1.13.9,
// internal/app/machined/pkg/controllers/block/internal/volumes.
func (b *boot) publishVolumeConfigs() {
	for _, label := range systemVolumes {
		put(b, block.NewVolumeConfig(block.NamespaceName, label), func(r *block.VolumeConfig) {
			r.TypedSpec().Type = block.VolumeTypePartition
			r.TypedSpec().Mount.TargetPath = map[string]string{"STATE": "/system/state", "EPHEMERAL": "/var"}[label]
			if label != "META" {
				r.TypedSpec().Provisioning.FilesystemSpec.Type = block.FilesystemTypeXFS
			}
		})
	}
}

// publishWatchdog publishes the configured watchdog timer. It is fed three times in its timeout. Source: siderolabs/talos v1.13.9,
// internal/app/machined/pkg/controllers/runtime/watchdog_timer.go.
func (b *boot) publishWatchdog(cfg config.Provider) {
	var timer struct {
		device  string
		timeout time.Duration
	}
	if settings := cfg.Runtime().WatchdogTimer(); settings != nil {
		timer.device, timer.timeout = settings.Device(), settings.Timeout()
	}
	wanted, status := runtime.NewWatchdogTimerConfig(), runtime.NewWatchdogTimerStatus(runtime.WatchdogTimerConfigID)
	if timer.device == "" {
		b.drop(wanted.Metadata())
		b.drop(status.Metadata())
		return
	}
	put(b, wanted, func(r *runtime.WatchdogTimerConfig) {
		r.TypedSpec().Device, r.TypedSpec().Timeout = timer.device, timer.timeout
	})
	put(b, status, func(r *runtime.WatchdogTimerStatus) {
		r.TypedSpec().Device, r.TypedSpec().Timeout, r.TypedSpec().FeedInterval = timer.device, timer.timeout, timer.timeout/3
	})
}

// publishFiles publishes the files of /etc that Talos writes.
func (b *boot) publishFiles() {
	for name, content := range b.files() {
		id, isBelow := strings.CutPrefix(name, "/etc/")
		if !isBelow || path.Dir(id) != "." || id == "os-release" {
			continue
		}
		spec := files.NewEtcFileSpec(files.NamespaceName, id)
		put(b, spec, func(r *files.EtcFileSpec) { r.TypedSpec().Contents, r.TypedSpec().Mode = []byte(content), 0o644 })
		put(b, files.NewEtcFileStatus(files.NamespaceName, id), func(r *files.EtcFileStatus) { r.TypedSpec().SpecVersion = b.versionOf(spec.Metadata()) })
	}
}

func discoveryConfig(spec *cluster.ConfigSpec, cfg config.Provider) {
	settings := cfg.Cluster().Discovery()
	spec.DiscoveryEnabled = settings.Enabled()
	spec.RegistryKubernetesEnabled = settings.Enabled() && settings.Registries().Kubernetes().Enabled()
	spec.RegistryServiceEnabled = settings.Enabled() && settings.Registries().Service().Enabled()
	if spec.RegistryServiceEnabled {
		spec.ServiceEndpoint = strings.TrimPrefix(settings.Registries().Service().Endpoint(), "https://")
		spec.ServiceClusterID = cfg.Cluster().ID()
	}
}
