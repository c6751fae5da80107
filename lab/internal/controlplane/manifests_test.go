package controlplane

import (
	"strings"
	"testing"

	"github.com/siderolabs/talos/pkg/machinery/config/generate"
	"github.com/siderolabs/talos/pkg/machinery/config/machine"
	"github.com/siderolabs/talos/pkg/machinery/config/types/v1alpha1"
)

// generated is a control plane's configuration as `talosctl gen config` writes it.
func generated(t *testing.T, options ...generate.Option) Node {
	t.Helper()
	input, err := generate.NewInput("test", "https://127.95.1.1:6443", "1.36.4", options...)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := input.Config(machine.TypeControlPlane)
	if err != nil {
		t.Fatal(err)
	}
	return Node{Config: cfg}
}

func groups(t *testing.T, node Node) string {
	t.Helper()
	all, err := Manifests(node)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, each := range all {
		if strings.HasPrefix(each.Name, "05-") || strings.HasPrefix(each.Name, "10-") {
			names = append(names, each.Name)
			for _, object := range each.Objects {
				names = append(names, object.GetKind()+"/"+object.GetName())
			}
		}
	}
	return strings.Join(names, " ")
}

func TestAClusterHasTalosOwnNetworkUnlessItIsDisabled(t *testing.T) {
	const want = "05-flannel ClusterRole/flannel ClusterRoleBinding/flannel ServiceAccount/flannel ConfigMap/kube-flannel-cfg DaemonSet/kube-flannel " +
		"10-kube-proxy ServiceAccount/kube-proxy ClusterRoleBinding/kube-proxy DaemonSet/kube-proxy"
	if got := groups(t, generated(t)); got != want {
		t.Errorf("by default it has %s", got)
	}
	node := generated(t)
	raw := node.Config.RawV1Alpha1()
	raw.ClusterConfig.ClusterNetwork.CNI = &v1alpha1.CNIConfig{CNIName: "none"}
	raw.ClusterConfig.ProxyConfig = &v1alpha1.ProxyConfig{Disabled: new(true)}
	if got := groups(t, node); got != "" {
		t.Errorf("with both disabled it has %s", got)
	}
}
