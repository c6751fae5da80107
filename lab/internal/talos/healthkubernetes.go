package talos

import (
	"context"
	"fmt"
	"slices"

	"github.com/cosi-project/runtime/pkg/safe"
	"github.com/siderolabs/talos/pkg/machinery/client"
	"github.com/siderolabs/talos/pkg/machinery/constants"
	"github.com/siderolabs/talos/pkg/machinery/resources/k8s"
	"github.com/siderolabs/talos/pkg/machinery/resources/runtime"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// stage returns a machine's stage.
func (h *health) stage(ctx context.Context, node string) (string, error) {
	status, err := safe.StateGetByID[*runtime.MachineStatus](client.WithNode(ctx, node), h.talos.COSI, runtime.MachineStatusID)
	if err != nil {
		return "", fmt.Errorf("%s: %w", node, err)
	}
	return status.TypedSpec().Stage.String(), nil
}

var kubernetesChecks = []check{
	{"all k8s nodes to report", func(ctx context.Context, h *health) error {
		nodes, err := h.kubernetesNodes(ctx)
		if err != nil {
			return err
		}
		return sameAddresses(nodes, h.nodes())
	}},
	{"all control plane static pods to be running", func(ctx context.Context, h *health) error { return h.staticPods(ctx) }},
	{"all control plane components to be ready", func(ctx context.Context, h *health) error { return h.components(ctx) }},
	{"all k8s nodes to report ready", func(ctx context.Context, h *health) error {
		return h.everyNode(ctx, "ready", func(node *corev1.Node) bool {
			return slices.ContainsFunc(node.Status.Conditions, func(c corev1.NodeCondition) bool {
				return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
			})
		})
	}},
	{"kube-proxy to report ready", func(ctx context.Context, h *health) error { return h.podsReady(ctx, "k8s-app=kube-proxy") }},
	{"coredns to report ready", func(ctx context.Context, h *health) error { return h.podsReady(ctx, "k8s-app=kube-dns") }},
	{"all k8s nodes to report schedulable", func(ctx context.Context, h *health) error {
		return h.everyNode(ctx, "schedulable", func(node *corev1.Node) bool { return !node.Spec.Unschedulable })
	}},
}

func (h *health) kubernetesNodes(ctx context.Context) ([]corev1.Node, error) {
	list, err := h.kubernetes.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

// sameAddresses compares nodes by one address of each: that which is expected, or else the first.
func sameAddresses(nodes []corev1.Node, expected []string) error {
	actual := []string{}
	for _, node := range nodes {
		internal := []string{}
		for _, address := range node.Status.Addresses {
			if address.Type == corev1.NodeInternalIP {
				internal = append(internal, address.Address)
			}
		}
		if index := slices.IndexFunc(internal, func(each string) bool { return slices.Contains(expected, each) }); index > 0 {
			internal = internal[index:]
		}
		actual = append(actual, internal[:min(len(internal), 1)]...)
	}
	expected = slices.Sorted(slices.Values(expected))
	slices.Sort(actual)
	if !slices.Equal(expected, actual) {
		return fmt.Errorf("expected nodes %q, got %q", expected, actual)
	}
	return nil
}

func (h *health) everyNode(ctx context.Context, what string, met func(*corev1.Node) bool) error {
	nodes, err := h.kubernetesNodes(ctx)
	if err != nil {
		return err
	}
	var lacking []string
	for _, node := range nodes {
		if !met(&node) {
			lacking = append(lacking, node.Name)
		}
	}
	if len(lacking) > 0 {
		return fmt.Errorf("some nodes are not %s: %v", what, lacking)
	}
	return nil
}

// staticPods passes if every control plane runs its programs.
func (h *health) staticPods(ctx context.Context) error {
	for _, node := range h.controlPlanes {
		list, err := safe.StateListAll[*k8s.StaticPodStatus](client.WithNode(ctx, node), h.talos.COSI)
		if err != nil {
			return fmt.Errorf("%s: %w", node, err)
		}
		if list.Len() < 3 {
			return fmt.Errorf("%d of 3 static pods run on node %s", list.Len(), node)
		}
	}
	return nil
}

// components passes if Kubernetes has the control plane's pods on every control plane node.
func (h *health) components(ctx context.Context) error {
	nodes, err := h.kubernetesNodes(ctx)
	if err != nil {
		return err
	}
	planes := slices.DeleteFunc(nodes, func(node corev1.Node) bool {
		_, is := node.Labels[constants.LabelNodeRoleControlPlane]
		return !is
	})
	if err := sameAddresses(planes, h.controlPlanes); err != nil {
		return err
	}
	for _, app := range []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler"} {
		pods, err := h.kubernetes.CoreV1().Pods(metav1.NamespaceSystem).List(ctx, metav1.ListOptions{LabelSelector: "k8s-app=" + app})
		if err != nil {
			return err
		}
		if len(pods.Items) != len(planes) {
			return fmt.Errorf("expected number of pods for %s to be %d, got %d", app, len(planes), len(pods.Items))
		}
		for _, pod := range pods.Items {
			if !podReady(&pod) {
				return fmt.Errorf("some pods are not ready for %s: [%s]", app, pod.Name)
			}
		}
	}
	return nil
}

// podsReady passes if all pods of a system component are ready, or if there are none.
func (h *health) podsReady(ctx context.Context, selector string) error {
	pods, err := h.kubernetes.CoreV1().Pods(metav1.NamespaceSystem).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return err
	}
	if len(pods.Items) == 0 {
		return errSkip
	}
	for _, pod := range pods.Items {
		if pod.DeletionTimestamp == nil && pod.Status.Phase != corev1.PodFailed && !podReady(&pod) {
			return fmt.Errorf("some pods are not ready: [%s]", pod.Name)
		}
	}
	return nil
}

func podReady(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}
