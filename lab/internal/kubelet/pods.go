package kubelet

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"
)

// gatesNotReady is the reason of a pod that is not ready for itself, although its containers are.
const gatesNotReady = "ReadinessGatesNotReady"

// readyAgain repeats the status of the node's pods. While a node does not report, the node controller sets the condition
// Ready of its pods to false and leaves the others as they are; a kubelet that is back reports what it has.
// Sources: kubernetes v1.36, pkg/controller/util/node, MarkPodsNotReady; pkg/kubelet/status, needsReconcile.
func readyAgain(ctx context.Context, client kubernetes.Interface, node string) error {
	pods, err := client.CoreV1().Pods("").List(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("spec.nodeName", node).String(),
	})
	if err != nil {
		return err
	}
	for i := range pods.Items {
		pod := &pods.Items[i]
		if !markReady(pod) {
			continue
		}
		_, err := client.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, pod, metav1.UpdateOptions{})
		if err != nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

// markReady makes a pod ready whose containers are, and reports whether it was not.
func markReady(pod *corev1.Pod) bool {
	ready, containers := podCondition(pod, corev1.PodReady), podCondition(pod, corev1.ContainersReady)
	if pod.Status.Phase != corev1.PodRunning || ready == nil || containers == nil || containers.Status != corev1.ConditionTrue ||
		ready.Status == corev1.ConditionTrue || ready.Reason == gatesNotReady {
		return false
	}
	ready.Status, ready.LastTransitionTime = corev1.ConditionTrue, metav1.Now()
	return true
}

func podCondition(pod *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == kind {
			return &pod.Status.Conditions[i]
		}
	}
	return nil
}
