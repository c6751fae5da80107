package talos

import (
	"net/netip"
	"strconv"

	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/constants"
	"github.com/siderolabs/talos/pkg/machinery/resources/etcd"
	"github.com/siderolabs/talos/pkg/machinery/resources/k8s"
	"github.com/siderolabs/talos/pkg/machinery/resources/network"
	"github.com/siderolabs/talos/pkg/machinery/resources/secrets"
)

// publishKubernetesDetails publishes what the machine's part of Kubernetes is made from. Source: siderolabs/talos v1.13.9,
// internal/app/machined/pkg/controllers/k8s and etcd.
func (b *boot) publishKubernetesDetails(cfg config.Provider) {
	kube, plane := cfg.Machine().Kubelet(), cfg.Cluster()
	put(b, k8s.NewNodeIPConfig(k8s.NamespaceName, k8s.KubeletID), func(r *k8s.NodeIPConfig) {
		r.TypedSpec().ValidSubnets, r.TypedSpec().ExcludeSubnets = kube.NodeIP().ValidSubnets(), append(plane.Network().PodCIDRs(), plane.Network().ServiceCIDRs()...)
	})
	put(b, k8s.NewKubeletConfig(k8s.NamespaceName, k8s.KubeletID), func(r *k8s.KubeletConfig) {
		spec := r.TypedSpec()
		spec.Image, spec.ClusterDNS, spec.ClusterDomain = kube.Image(), kube.ClusterDNS(), plane.Network().DNSDomain()
		spec.ExtraArgs, spec.ExtraConfig = argValues(kube.ExtraArgs()), kube.ExtraConfig()
		spec.DefaultRuntimeSeccompEnabled, spec.SkipNodeRegistration = kube.DefaultRuntimeSeccompProfileEnabled(), kube.SkipNodeRegistration()
		spec.DisableManifestsDirectory = kube.DisableManifestsDirectory()
	})
	inside := prefixesOf(append(plane.Network().PodCIDRs(), plane.Network().ServiceCIDRs()...))
	put(b, network.NewNodeAddressFilter(network.NamespaceName, k8s.NodeAddressFilterNoK8s), func(r *network.NodeAddressFilter) {
		r.TypedSpec().ExcludeSubnets = inside
	})
	put(b, network.NewNodeAddressFilter(network.NamespaceName, k8s.NodeAddressFilterOnlyK8s), func(r *network.NodeAddressFilter) {
		r.TypedSpec().IncludeSubnets = inside
	})
	if prism := cfg.Machine().Features().KubePrism(); prism.Enabled() {
		put(b, k8s.NewKubePrismConfig(k8s.NamespaceName, k8s.KubePrismConfigID), func(r *k8s.KubePrismConfig) {
			r.TypedSpec().Host, r.TypedSpec().Port, r.TypedSpec().Endpoints = "127.0.0.1", prism.Port(), prismEndpoints(cfg)
		})
		put(b, k8s.NewKubePrismEndpoints(k8s.NamespaceName, k8s.KubePrismEndpointsID), func(r *k8s.KubePrismEndpoints) {
			r.TypedSpec().Endpoints = prismEndpoints(cfg)
		})
	}
	if !cfg.Machine().Type().IsControlPlane() {
		return
	}
	put(b, etcd.NewConfig(etcd.NamespaceName, etcd.ConfigID), func(r *etcd.Config) {
		r.TypedSpec().Image, r.TypedSpec().ExtraArgs = plane.Etcd().Image(), map[string]etcd.ArgValues{}
		for name, values := range plane.Etcd().ExtraArgs() {
			r.TypedSpec().ExtraArgs[name] = etcd.ArgValues{Values: values}
		}
		r.TypedSpec().AdvertiseValidSubnets, r.TypedSpec().ListenValidSubnets = plane.Etcd().AdvertisedSubnets(), plane.Etcd().ListenSubnets()
	})
	put(b, etcd.NewPKIStatus(etcd.NamespaceName, etcd.PKIID), func(r *etcd.PKIStatus) { r.TypedSpec().Ready, r.TypedSpec().Version = true, "1" })
	put(b, k8s.NewSecretsStatus(k8s.ControlPlaneNamespaceName, k8s.StaticPodSecretsStaticPodID), func(r *k8s.SecretsStatus) {
		r.TypedSpec().Ready, r.TypedSpec().Version = true, "1"
	})
	put(b, k8s.NewConfigStatus(k8s.ControlPlaneNamespaceName, k8s.ConfigStatusStaticPodID), func(r *k8s.ConfigStatus) {
		r.TypedSpec().Ready, r.TypedSpec().Version = true, "1"
	})
	put(b, k8s.NewAuditPolicyConfig(), func(r *k8s.AuditPolicyConfig) { r.TypedSpec().Config = plane.APIServer().AuditPolicy() })
	put(b, k8s.NewAdmissionControlConfig(), func(r *k8s.AdmissionControlConfig) {
		r.TypedSpec().Config = nil
		for _, plugin := range plane.APIServer().AdmissionControl() {
			r.TypedSpec().Config = append(r.TypedSpec().Config, k8s.AdmissionPluginSpec{Name: plugin.Name(), Configuration: plugin.Configuration()})
		}
	})
	put(b, k8s.NewBootstrapManifestsConfig(), func(r *k8s.BootstrapManifestsConfig) {
		spec := r.TypedSpec()
		spec.Server, spec.ClusterDomain, spec.PodCIDRs = plane.Endpoint().String(), plane.Network().DNSDomain(), plane.Network().PodCIDRs()
		spec.ProxyEnabled, spec.ProxyImage = plane.Proxy().Enabled(), plane.Proxy().Image()
		spec.CoreDNSEnabled, spec.CoreDNSImage = plane.CoreDNS().Enabled(), plane.CoreDNS().Image()
		spec.CNIName = plane.Network().CNI().Name()
		spec.FlannelEnabled = spec.CNIName == constants.FlannelCNI
	})
	put(b, k8s.NewExtraManifestsConfig(), func(r *k8s.ExtraManifestsConfig) {
		r.TypedSpec().ExtraManifests = nil
		for _, url := range plane.ExtraManifestURLs() {
			r.TypedSpec().ExtraManifests = append(r.TypedSpec().ExtraManifests, k8s.ExtraManifest{Name: url, URL: url, Priority: "30"})
		}
		for _, inline := range plane.InlineManifests() {
			r.TypedSpec().ExtraManifests = append(r.TypedSpec().ExtraManifests, k8s.ExtraManifest{Name: inline.Name(), InlineManifest: inline.Contents(), Priority: "99"})
		}
	})
	put(b, secrets.NewEtcdRoot(secrets.EtcdRootID), func(r *secrets.EtcdRoot) { r.TypedSpec().EtcdCA = plane.Etcd().CA() })
}

func prefixesOf(written []string) []netip.Prefix {
	var all []netip.Prefix
	for _, each := range written {
		if prefix, err := netip.ParsePrefix(each); err == nil {
			all = append(all, prefix)
		}
	}
	return all
}

// prismEndpoints are where KubePrism finds the API server: the cluster's endpoint, and on a control plane its own too.
func prismEndpoints(cfg config.Provider) []k8s.KubePrismEndpoint {
	endpoint := cfg.Cluster().Endpoint()
	port, err := strconv.ParseUint(endpoint.Port(), 10, 16)
	if err != nil {
		port = constants.DefaultControlPlanePort
	}
	all := []k8s.KubePrismEndpoint{{Host: endpoint.Hostname(), Port: uint32(port)}}
	if cfg.Machine().Type().IsControlPlane() {
		all = append(all, k8s.KubePrismEndpoint{Host: "localhost", Port: uint32(cfg.Cluster().LocalAPIServerPort())})
	}
	return all
}
