package kubelet

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"time"

	coordination "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
)

// FakeAnnotation tells kwok to manage the pods of a node.
const FakeAnnotation = "kwok.x-k8s.io/node"

// register creates the Node, or adopts the existing one.
func register(ctx context.Context, client kubernetes.Interface, node Node) error {
	labels := map[string]string{
		corev1.LabelHostname: node.Name, corev1.LabelOSStable: "linux", corev1.LabelArchStable: runtime.GOARCH,
		"beta.kubernetes.io/os": "linux", "beta.kubernetes.io/arch": runtime.GOARCH,
	}
	taints, err := registeredTaints(node.Config)
	if err != nil {
		return err
	}
	_, err = client.CoreV1().Nodes().Create(ctx, &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: node.Name, Labels: labels,
			Annotations: map[string]string{FakeAnnotation: "fake", "volumes.kubernetes.io/controller-managed-attach-detach": "true"},
		},
		Spec:   corev1.NodeSpec{Taints: taints},
		Status: status(node, corev1.NodeStatus{}, false),
	}, metav1.CreateOptions{})
	if !apierrors.IsAlreadyExists(err) {
		return err
	}
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		existing, err := client.CoreV1().Nodes().Get(ctx, node.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		changed := existing.Annotations[FakeAnnotation] != "fake"
		if existing.Annotations == nil {
			existing.Annotations = map[string]string{}
		}
		existing.Annotations[FakeAnnotation] = "fake"
		for name, value := range labels {
			if existing.Labels[name] != value {
				existing.Labels[name], changed = value, true
			}
		}
		if !changed {
			return nil
		}
		_, err = client.CoreV1().Nodes().Update(ctx, existing, metav1.UpdateOptions{})
		return err
	})
}

// reportStatus is the kubelet's heartbeat in the Node's status.
func reportStatus(ctx context.Context, client kubernetes.Interface, node Node, ready bool) error {
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		existing, err := client.CoreV1().Nodes().Get(ctx, node.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		existing.Status = status(node, existing.Status, ready)
		_, err = client.CoreV1().Nodes().UpdateStatus(ctx, existing, metav1.UpdateOptions{})
		return err
	})
}

// status returns the kubelet's part of the status merged into the existing one.
func status(node Node, before corev1.NodeStatus, ready bool) corev1.NodeStatus {
	after := *before.DeepCopy()
	after.Addresses = addresses(node)
	after.Capacity = corev1.ResourceList{
		corev1.ResourceCPU:              *resource.NewQuantity(int64(node.Cores), resource.DecimalSI),
		corev1.ResourceMemory:           *resource.NewQuantity(int64(node.MemoryMiB)<<20, resource.BinarySI),
		corev1.ResourceEphemeralStorage: *resource.NewQuantity(int64(node.DiskGiB)<<30, resource.BinarySI),
		corev1.ResourcePods:             *resource.NewQuantity(110, resource.DecimalSI),
	}
	after.Allocatable = after.Capacity.DeepCopy()
	after.NodeInfo = corev1.NodeSystemInfo{
		MachineID: strings.ReplaceAll(node.UUID, "-", ""), SystemUUID: node.UUID, BootID: node.BootID,
		KernelVersion: "6.18.0-talos", OSImage: fmt.Sprintf("Talos (%s)", node.TalosVersion),
		ContainerRuntimeVersion: "containerd://2.1.5", KubeletVersion: kubeletVersion(node.Config.Machine().Kubelet().Image()),
		OperatingSystem: "linux", Architecture: runtime.GOARCH,
	}
	after.DaemonEndpoints = corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: 10250}}
	for kind, message := range map[corev1.NodeConditionType][2]string{
		corev1.NodeMemoryPressure: {"KubeletHasSufficientMemory", "kubelet has sufficient memory available"},
		corev1.NodeDiskPressure:   {"KubeletHasNoDiskPressure", "kubelet has no disk pressure"},
		corev1.NodePIDPressure:    {"KubeletHasSufficientPID", "kubelet has sufficient PID available"},
	} {
		after.Conditions = condition(after.Conditions, kind, corev1.ConditionFalse, message[0], message[1])
	}
	if ready {
		after.Conditions = condition(after.Conditions, corev1.NodeReady, corev1.ConditionTrue, "KubeletReady",
			"kubelet is posting ready status")
	} else {
		after.Conditions = condition(after.Conditions, corev1.NodeReady, corev1.ConditionFalse, "KubeletNotReady",
			"container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady "+
				"message:Network plugin returns error: cni plugin not initialized")
	}
	return after
}

func condition(all []corev1.NodeCondition, kind corev1.NodeConditionType, value corev1.ConditionStatus, reason, message string) []corev1.NodeCondition {
	now := metav1.Now()
	next := corev1.NodeCondition{
		Type: kind, Status: value, Reason: reason, Message: message, LastHeartbeatTime: now, LastTransitionTime: now,
	}
	for index, existing := range all {
		if existing.Type == kind {
			if existing.Status == value {
				next.LastTransitionTime = existing.LastTransitionTime
			}
			all[index] = next
			return all
		}
	}
	return append(all, next)
}

// kubeletVersion is the tag of the kubelet's image, without a digest.
func kubeletVersion(image string) string {
	image, _, _ = strings.Cut(image, "@")
	at := strings.LastIndex(image, ":")
	return image[at+1:]
}

// renew renews the node's lease, which shows the control plane that the machine is alive.
func renew(ctx context.Context, client kubernetes.Interface, name string) error {
	leases := client.CoordinationV1().Leases(corev1.NamespaceNodeLease)
	now := metav1.NewMicroTime(time.Now())
	lease, err := leases.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		node, err := client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		_, err = leases.Create(ctx, &coordination.Lease{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: corev1.NamespaceNodeLease, OwnerReferences: []metav1.OwnerReference{
				{APIVersion: "v1", Kind: "Node", Name: name, UID: node.UID},
			}},
			Spec: coordination.LeaseSpec{HolderIdentity: &name, LeaseDurationSeconds: new(int32(leaseSeconds)), RenewTime: &now},
		}, metav1.CreateOptions{})
		return err
	}
	if err != nil {
		return err
	}
	lease.Spec.HolderIdentity, lease.Spec.LeaseDurationSeconds, lease.Spec.RenewTime = &name, new(int32(leaseSeconds)), &now
	_, err = leases.Update(ctx, lease, metav1.UpdateOptions{})
	if apierrors.IsConflict(err) {
		return nil // the next round renews it
	}
	return err
}
