package kubelet

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/siderolabs/talos/pkg/machinery/config/config"
	"github.com/siderolabs/talos/pkg/machinery/constants"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
)

// taints are the configured taints. A control plane has its own unless pods may be scheduled on it.
func taints(config config.Config) []corev1.Taint {
	var all []corev1.Taint
	if config.Machine().Type().IsControlPlane() && !config.Cluster().ScheduleOnControlPlanes() {
		all = append(all, corev1.Taint{Key: constants.LabelNodeRoleControlPlane, Effect: corev1.TaintEffectNoSchedule})
	}
	configured := config.Machine().NodeTaints()
	for _, key := range slices.Sorted(maps.Keys(configured)) {
		value, effect, found := strings.Cut(configured[key], ":")
		if !found {
			value, effect = "", value
		}
		all = append(all, corev1.Taint{Key: key, Value: value, Effect: corev1.TaintEffect(effect)})
	}
	return all
}

// registeredTaints are the taints that the node registers with: those of the kubelet's configuration and, on a control plane, its
// own. Source: siderolabs/talos v1.13.9, internal/app/machined/pkg/controllers/k8s/kubelet_spec.go, where extraConfig becomes the
// kubelet's configuration.
func registeredTaints(config config.Config) ([]corev1.Taint, error) {
	var registered struct {
		Taints []corev1.Taint `json:"registerWithTaints"`
	}
	text, err := json.Marshal(config.Machine().Kubelet().ExtraConfig())
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &registered); err != nil {
		return nil, fmt.Errorf("reading the kubelet's extra configuration: %w", err)
	}
	isOwn := func(taint corev1.Taint) bool { return taint.Key == constants.LabelNodeRoleControlPlane }
	if config.Machine().Type().IsControlPlane() && !config.Cluster().ScheduleOnControlPlanes() &&
		!slices.ContainsFunc(registered.Taints, isOwn) {
		registered.Taints = append(registered.Taints,
			corev1.Taint{Key: constants.LabelNodeRoleControlPlane, Effect: corev1.TaintEffectNoSchedule})
	}
	return registered.Taints, nil
}

// labels are the configured labels, the role of a control plane, and the image's extensions. Source: siderolabs/talos v1.13.9,
// internal/app/machined/pkg/controllers/k8s/node_label_spec.go, extensionsToNodeKV.
func labels(node Node) map[string]string {
	all := maps.Clone(map[string]string(node.Config.Machine().NodeLabels()))
	if all == nil {
		all = map[string]string{}
	}
	if node.Config.Machine().Type().IsControlPlane() {
		all[constants.LabelNodeRoleControlPlane] = ""
	}
	for name, version := range node.Extensions {
		if isLabelValue(version) {
			all[constants.K8sExtensionPrefix+name] = version
		}
	}
	return all
}

func isLabelValue(text string) bool { return len(validation.IsValidLabelValue(text)) == 0 }

// annotations are the configured annotations, and the extensions whose version no label can have: the schematic's.
func annotations(node Node) map[string]string {
	all := maps.Clone(map[string]string(node.Config.Machine().NodeAnnotations()))
	if all == nil {
		all = map[string]string{}
	}
	for name, version := range node.Extensions {
		if !isLabelValue(version) {
			all[constants.K8sExtensionPrefix+name] = version
		}
	}
	return all
}

// decorate sets the configured labels, annotations and taints, and removes those that were configured before. It keeps
// what others have set: as in Talos, annotations of the node list what Talos owns.
func decorate(ctx context.Context, client kubernetes.Interface, node Node) error {
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		existing, err := client.CoreV1().Nodes().Get(ctx, node.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		before := existing.DeepCopy()
		if existing.Annotations == nil {
			existing.Annotations = map[string]string{}
		}
		if existing.Labels == nil {
			existing.Labels = map[string]string{}
		}
		for _, step := range []struct {
			ownedIn string
			apply   func(owned map[string]bool)
		}{
			{constants.AnnotationOwnedLabels, func(owned map[string]bool) { settle(existing.Labels, owned, labels(node)) }},
			{constants.AnnotationOwnedAnnotations, func(owned map[string]bool) {
				settle(existing.Annotations, owned, annotations(node))
			}},
			{constants.AnnotationOwnedTaints, func(owned map[string]bool) {
				existing.Spec.Taints = settleTaints(existing.Spec.Taints, owned, taints(node.Config))
			}},
		} {
			owned, err := readOwned(existing, step.ownedIn)
			if err != nil {
				return err
			}
			step.apply(owned)
			if err := writeOwned(existing, step.ownedIn, owned); err != nil {
				return err
			}
		}
		cordon(existing, node.Cordoned)
		if equality.Semantic.DeepEqual(before, existing) {
			return nil
		}
		_, err = client.CoreV1().Nodes().Update(ctx, existing, metav1.UpdateOptions{})
		return err
	})
	if err != nil {
		return fmt.Errorf("labelling and tainting the node: %w", err)
	}
	return nil
}

// cordon keeps new pods away from the node, or lets them again if it was Talos that kept them away. Source: siderolabs/talos
// v1.13.9, internal/app/machined/pkg/controllers/k8s/node_apply.go, ApplyCordoned.
func cordon(node *corev1.Node, wanted bool) {
	_, own := node.Annotations[constants.AnnotationCordonedKey]
	switch {
	case wanted && !node.Spec.Unschedulable:
		node.Spec.Unschedulable = true
		node.Annotations[constants.AnnotationCordonedKey] = constants.AnnotationCordonedValue
	case !wanted && node.Spec.Unschedulable && own:
		node.Spec.Unschedulable = false
		delete(node.Annotations, constants.AnnotationCordonedKey)
	}
}

// settle sets the wanted values that nobody else owns, and removes the owned values that are no longer wanted.
func settle(values map[string]string, owned map[string]bool, wanted map[string]string) {
	for name, value := range wanted {
		current, exists := values[name]
		if !exists || owned[name] || current == value {
			values[name], owned[name] = value, true
		}
	}
	for name := range owned {
		if _, still := wanted[name]; !still {
			delete(values, name)
			delete(owned, name)
		}
	}
}

func settleTaints(existing []corev1.Taint, owned map[string]bool, wanted []corev1.Taint) []corev1.Taint {
	for _, taint := range wanted {
		at := slices.IndexFunc(existing, func(t corev1.Taint) bool { return t.Key == taint.Key })
		switch {
		case at < 0:
			existing = append(existing, taint)
			owned[taint.Key] = true
		case owned[taint.Key] || existing[at].MatchTaint(&taint) && existing[at].Value == taint.Value:
			existing[at].Value, existing[at].Effect = taint.Value, taint.Effect
			owned[taint.Key] = true
		}
	}
	return slices.DeleteFunc(existing, func(t corev1.Taint) bool {
		if !owned[t.Key] || slices.ContainsFunc(wanted, func(w corev1.Taint) bool { return w.Key == t.Key }) {
			return false
		}
		delete(owned, t.Key)
		return true
	})
}

func readOwned(node *corev1.Node, annotation string) (map[string]bool, error) {
	owned := map[string]bool{}
	text := node.Annotations[annotation]
	if text == "" {
		return owned, nil
	}
	var names []string
	if err := json.Unmarshal([]byte(text), &names); err != nil {
		return nil, fmt.Errorf("annotation %s: %w", annotation, err)
	}
	for _, name := range names {
		owned[name] = true
	}
	return owned, nil
}

func writeOwned(node *corev1.Node, annotation string, owned map[string]bool) error {
	if len(owned) == 0 {
		delete(node.Annotations, annotation)
		return nil
	}
	text, err := json.Marshal(slices.Sorted(maps.Keys(owned)))
	node.Annotations[annotation] = string(text)
	return err
}
