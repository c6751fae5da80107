package talos

import (
	"maps"
	"slices"

	"github.com/cosi-project/runtime/pkg/resource"
	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/resources/k8s"

	"hearth.dev/lab/internal/controlplane"
	"hearth.dev/lab/internal/kubelet"
)

// publishControlPlane publishes what the static pods are made from, and the manifests that `talosctl upgrade-k8s` applies.
// Source: siderolabs/talos v1.13.9, internal/app/machined/pkg/controllers/k8s, control_plane.go and manifest.go.
func (b *boot) publishControlPlane(cfg config.Provider) {
	cluster := cfg.Cluster()
	put(b, k8s.NewAPIServerConfig(), func(r *k8s.APIServerConfig) {
		settings := cluster.APIServer()
		*r.TypedSpec() = k8s.APIServerConfigSpec{
			Image: settings.Image(), ControlPlaneEndpoint: cluster.Endpoint().String(), EtcdServers: []string{"https://127.0.0.1:2379"},
			LocalPort: cluster.LocalAPIServerPort(), ServiceCIDRs: cluster.Network().ServiceCIDRs(), AdvertisedAddress: "$(POD_IP)",
			ExtraArgs: argValues(settings.ExtraArgs()), EnvironmentVariables: settings.Env(),
		}
	})
	put(b, k8s.NewControllerManagerConfig(), func(r *k8s.ControllerManagerConfig) {
		settings := cluster.ControllerManager()
		*r.TypedSpec() = k8s.ControllerManagerConfigSpec{
			Enabled: !cfg.Machine().Controlplane().ControllerManager().Disabled(), Image: settings.Image(),
			PodCIDRs: cluster.Network().PodCIDRs(), ServiceCIDRs: cluster.Network().ServiceCIDRs(),
			ExtraArgs: argValues(settings.ExtraArgs()), EnvironmentVariables: settings.Env(),
		}
	})
	put(b, k8s.NewSchedulerConfig(), func(r *k8s.SchedulerConfig) {
		settings := cluster.Scheduler()
		*r.TypedSpec() = k8s.SchedulerConfigSpec{
			Enabled: !cfg.Machine().Controlplane().Scheduler().Disabled(), Image: settings.Image(), Config: settings.Config(),
			ExtraArgs: argValues(settings.ExtraArgs()), EnvironmentVariables: settings.Env(),
		}
	})
	b.publishManifests(cfg)
}

func argValues(configured map[string][]string) map[string]k8s.ArgValues {
	all := make(map[string]k8s.ArgValues, len(configured))
	for name, values := range configured {
		all[name] = k8s.ArgValues{Values: values}
	}
	return all
}

func (b *boot) publishManifests(cfg config.Provider) {
	all, err := controlplane.Manifests(controlplane.Node{Config: cfg})
	if err != nil {
		b.machine.log.Printf("rendering the bootstrap manifests: %v", err)
		return
	}
	ids := map[resource.ID]bool{}
	for _, manifest := range all {
		ids[manifest.Name] = true
		put(b, k8s.NewManifest(k8s.ControlPlaneNamespaceName, manifest.Name), func(r *k8s.Manifest) {
			r.TypedSpec().Items = nil
			for _, object := range manifest.Objects {
				r.TypedSpec().Items = append(r.TypedSpec().Items, k8s.SingleManifest{Object: object.Object})
			}
		})
	}
	b.keepOnly(k8s.NewManifest(k8s.ControlPlaneNamespaceName, "").Metadata(), ids)
	put(b, k8s.NewManifestStatus(k8s.ControlPlaneNamespaceName), func(r *k8s.ManifestStatus) {
		r.TypedSpec().ManifestsApplied = slices.Sorted(maps.Keys(ids))
	})
}

// publishKubelet publishes the kubelet's specification, and reports whether that of a running kubelet changed. Source:
// siderolabs/talos v1.13.9, internal/app/machined/pkg/controllers/k8s, kubelet_spec.go and kubelet_service.go.
func (b *boot) publishKubelet(cfg config.Provider, name string) (changed bool) {
	settings := cfg.Machine().Kubelet()
	args := map[string][]string{
		"bootstrap-kubeconfig": {"/etc/kubernetes/bootstrap-kubeconfig"}, "cert-dir": {"/var/lib/kubelet/pki"},
		"config": {"/etc/kubernetes/kubelet.yaml"}, "hostname-override": {name},
		"kubeconfig": {"/etc/kubernetes/kubeconfig-kubelet"}, "node-ip": {b.machine.address.String()},
	}
	maps.Copy(args, settings.ExtraArgs())
	var flags []string
	for _, flag := range slices.Sorted(maps.Keys(args)) {
		for _, value := range args[flag] {
			flags = append(flags, "--"+flag+"="+value)
		}
	}
	kubeletConfig := map[string]any{"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration"}
	maps.Copy(kubeletConfig, settings.ExtraConfig())
	before := ""
	kubeletSpec := k8s.NewKubeletSpec(k8s.NamespaceName, k8s.KubeletID)
	if existing, err := b.state.Get(b.ctx, kubeletSpec.Metadata()); err == nil {
		before = existing.Metadata().Version().String()
	}
	put(b, kubeletSpec, func(r *k8s.KubeletSpec) {
		spec := r.TypedSpec()
		spec.Image, spec.Args, spec.ExpectedNodename, spec.Config = settings.Image(), flags, name, kubeletConfig
	})
	return before != "" && before != b.versionOf(kubeletSpec.Metadata())
}

// versionOf is the version of a resource, empty if it does not exist.
func (b *boot) versionOf(pointer resource.Pointer) string {
	r, err := b.state.Get(b.ctx, pointer)
	if err != nil {
		return ""
	}
	return r.Metadata().Version().String()
}

// staticPods are the control plane's programs that run on this machine.
func (b *boot) staticPods() []kubelet.StaticPod {
	b.mu.Lock()
	plane, cfg := b.plane, b.active
	b.mu.Unlock()
	if plane == nil {
		return nil
	}
	type source struct {
		image   string
		version string
	}
	sources := map[string]source{
		k8s.APIServerID:         {cfg.Cluster().APIServer().Image(), b.versionOf(k8s.NewAPIServerConfig().Metadata())},
		k8s.ControllerManagerID: {cfg.Cluster().ControllerManager().Image(), b.versionOf(k8s.NewControllerManagerConfig().Metadata())},
		k8s.SchedulerID:         {cfg.Cluster().Scheduler().Image(), b.versionOf(k8s.NewSchedulerConfig().Metadata())},
	}
	var all []kubelet.StaticPod
	for _, program := range plane.Programs() {
		if from := sources[program.Name]; from.image != "" {
			all = append(all, kubelet.StaticPod{
				Name: program.Name, Image: from.image, ConfigVersion: from.version,
				Command: append([]string{"/usr/local/bin/" + program.Name}, program.Flags...),
			})
		}
	}
	return all
}

// publishStaticPods publishes the pods that the kubelet is to run.
func (b *boot) publishStaticPods() {
	ids := map[resource.ID]bool{}
	for _, pod := range b.staticPods() {
		ids[pod.Name] = true
		put(b, k8s.NewStaticPod(k8s.NamespaceName, pod.Name), func(r *k8s.StaticPod) { r.TypedSpec().Pod = pod.Manifest() })
	}
	b.keepOnly(k8s.NewStaticPod(k8s.NamespaceName, "").Metadata(), ids)
}
