package kubelet

import (
	"slices"
	"testing"

	"github.com/siderolabs/talos/pkg/machinery/config/configloader"
	corev1 "k8s.io/api/core/v1"
)

func TestNodesRegisterWithTheTaintsOfTheirKubelet(t *testing.T) {
	own := corev1.Taint{Key: "node-role.kubernetes.io/control-plane", Effect: corev1.TaintEffectNoSchedule}
	dedicated := corev1.Taint{Key: "dedicated", Value: "storage", Effect: corev1.TaintEffectNoSchedule}
	kubelet := `kubelet: {extraConfig: {registerWithTaints: [{key: dedicated, value: storage, effect: NoSchedule}]}}`
	for machine, wanted := range map[string][]corev1.Taint{
		`{type: worker}`:                        nil,
		`{type: worker, ` + kubelet + `}`:       {dedicated},
		`{type: controlplane}`:                  {own},
		`{type: controlplane, ` + kubelet + `}`: {dedicated, own},
		// NodeRestriction refuses what a worker's own configuration says of a node that is registered.
		`{type: worker, nodeTaints: {dedicated: "storage:NoSchedule"}}`: nil,
	} {
		config, err := configloader.NewFromBytes([]byte("version: v1alpha1\nmachine: " + machine + "\ncluster: {}\n"))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := registeredTaints(config); err != nil || !slices.Equal(got, wanted) {
			t.Errorf("%s registers with %v (%v), wanted %v", machine, got, err, wanted)
		}
	}
}
