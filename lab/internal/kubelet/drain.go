package kubelet

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
)

// drainTimeout is how long pods may take to end. Talos continues after it.
const drainTimeout = 30 * time.Second

// Drain keeps new pods away from the node and evicts its pods, except those of DaemonSets.
func (k *Kubelet) Drain(ctx context.Context) error {
	node := k.current()
	if !k.Status().Registered {
		return nil
	}
	client, err := k.client(ctx, node)
	if err != nil {
		return err
	}
	err = retry.RetryOnConflict(retry.DefaultRetry, func() error {
		existing, err := client.CoreV1().Nodes().Get(ctx, node.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		existing.Spec.Unschedulable = true
		_, err = client.CoreV1().Nodes().Update(ctx, existing, metav1.UpdateOptions{})
		return err
	})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cordoning: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	for ctx.Err() == nil {
		remaining, err := evictAll(ctx, client, node.Name)
		if err == nil && remaining == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	k.options.Logf("kubelet: not all pods were gone after %s", drainTimeout)
	return nil
}

func evictAll(ctx context.Context, client kubernetes.Interface, node string) (remaining int, err error) {
	pods, err := client.CoreV1().Pods("").List(ctx, metav1.ListOptions{FieldSelector: "spec.nodeName=" + node})
	if err != nil {
		return 0, err
	}
	for _, pod := range pods.Items {
		owner := metav1.GetControllerOf(&pod)
		_, mirror := pod.Annotations[corev1.MirrorPodAnnotationKey]
		if mirror || owner != nil && owner.Kind == "DaemonSet" || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
			continue
		}
		remaining++
		if pod.DeletionTimestamp == nil {
			_ = client.PolicyV1().Evictions(pod.Namespace).Evict(ctx, &policy.Eviction{
				ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace},
			}) // a budget may forbid it now; the next round tries again
		}
	}
	return remaining, nil
}
