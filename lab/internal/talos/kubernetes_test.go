package talos

import (
	"strings"
	"sync"
	"testing"

	"github.com/cosi-project/runtime/pkg/resource"
	"github.com/cosi-project/runtime/pkg/resource/protobuf"
	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/generate"
	machinetype "github.com/siderolabs/talos/pkg/machinery/config/machine"
	"github.com/siderolabs/talos/pkg/machinery/config/types/v1alpha1"
	"github.com/siderolabs/talos/pkg/machinery/resources/k8s"
)

// generated is a configuration, whose keys take seconds to make.
var generated = sync.OnceValues(func() (config.Provider, error) {
	input, err := generate.NewInput("test", "https://127.94.0.1:6443", "1.36.4")
	if err != nil {
		return nil, err
	}
	return input.Config(machinetype.TypeControlPlane)
})

func controlPlaneConfig(t *testing.T) config.Provider {
	t.Helper()
	cfg, err := generated()
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// withImages is the configuration after the first steps of talosctl upgrade-k8s.
func withImages(t *testing.T, cfg config.Provider, release string) config.Provider {
	t.Helper()
	next, err := cfg.PatchV1Alpha1(func(c *v1alpha1.Config) error {
		c.ClusterConfig.APIServerConfig.ContainerImage = "registry.k8s.io/kube-apiserver:" + release
		c.MachineConfig.MachineKubelet.KubeletImage = "ghcr.io/siderolabs/kubelet:" + release
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func TestResourcesFollowTheImagesOfTheConfiguration(t *testing.T) {
	m, cfg := booted(t), controlPlaneConfig(t)
	published := func(cfg config.Provider) bool {
		m.publishControlPlane(cfg)
		return m.publishKubelet(cfg, "cp01")
	}
	versions := func() (apiServer, scheduler, kubelet string) {
		return m.versionOf(k8s.NewAPIServerConfig().Metadata()), m.versionOf(k8s.NewSchedulerConfig().Metadata()),
			m.versionOf(k8s.NewKubeletSpec(k8s.NamespaceName, k8s.KubeletID).Metadata())
	}
	if published(cfg) {
		t.Error("the first specification restarts the kubelet")
	}
	apiServer, scheduler, kubelet := versions()
	if apiServer == "" || scheduler == "" || kubelet == "" {
		t.Fatal("something is not published")
	}
	if published(cfg) {
		t.Error("the same specification restarts the kubelet")
	}
	if a, s, k := versions(); a != apiServer || s != scheduler || k != kubelet {
		t.Error("versions change without a change")
	}
	if !published(withImages(t, cfg, "v1.36.5")) {
		t.Error("another image does not restart the kubelet")
	}
	if a, s, k := versions(); a == apiServer || s != scheduler || k == kubelet {
		t.Errorf("versions are %s %s %s after %s %s %s", a, s, k, apiServer, scheduler, kubelet)
	}
}

func TestWhatClientsReadCanBeSent(t *testing.T) {
	m, cfg := booted(t), controlPlaneConfig(t)
	m.publishControlPlane(cfg)
	m.publishKubelet(cfg, "cp01")
	m.publishConfigured(cfg, "cp01")
	m.publishHardware()
	for _, kind := range []resource.Kind{
		k8s.NewAPIServerConfig().Metadata(), k8s.NewControllerManagerConfig().Metadata(), k8s.NewSchedulerConfig().Metadata(),
		k8s.NewKubeletSpec(k8s.NamespaceName, "").Metadata(), k8s.NewManifest(k8s.ControlPlaneNamespaceName, "").Metadata(),
		k8s.NewManifestStatus(k8s.ControlPlaneNamespaceName).Metadata(),
	} {
		list, err := m.state.List(t.Context(), kind)
		if err != nil || len(list.Items) == 0 {
			t.Errorf("%s: %d, %v", kind.Type(), len(list.Items), err)
		}
		requireSendable(t, list)
	}
	manifests, _ := m.state.List(t.Context(), k8s.NewManifest(k8s.ControlPlaneNamespaceName, "").Metadata())
	names := ""
	for _, each := range manifests.Items {
		names += each.Metadata().ID() + " "
	}
	if !strings.Contains(names, "00-kubelet-bootstrapping-token") || !strings.Contains(names, "11-core-dns") {
		t.Errorf("the manifests are %s", names)
	}
}

// requireSendable requires that the API can send each of the resources.
func requireSendable(t *testing.T, list resource.List) {
	t.Helper()
	for _, item := range list.Items {
		message, err := protobuf.FromResource(item)
		if err == nil {
			_, err = message.Marshal()
		}
		if err != nil {
			t.Errorf("%s: %v", item.Metadata(), err)
		}
	}
}
