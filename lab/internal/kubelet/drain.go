package kubelet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"
)

// Talos' own limits of a drain. Source: siderolabs/talos v1.13.9, pkg/kubernetes/kubernetes.go;
// internal/app/machined/pkg/runtime/v1alpha1/v1alpha1_sequencer_tasks.go, waitForNodeCordoned.
const (
	drainTimeout  = 5 * time.Minute
	cordonTimeout = time.Minute
	// podTimeout is how long a pod may take to end after its eviction.
	podTimeout = time.Minute
	// budgetInterval is the interval between evictions that a PodDisruptionBudget forbids.
	budgetInterval = 5 * time.Second
	podInterval    = time.Second
	graceSeconds   = 60
)

// Drain waits until the node is cordoned, which Update does, and evicts its pods. As Talos does, it skips those of static
// pods, of DaemonSets and of nobody, and goes on if a pod stays. It does nothing on a node that never joined.
func (k *Kubelet) Drain(ctx context.Context) error {
	if _, err := os.Stat(k.certificatePath()); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	node := k.current()
	client, err := k.client(ctx, node)
	if err != nil {
		return err
	}
	k.nudge()
	if err := awaitCordoned(ctx, client, node.Name); err != nil {
		return fmt.Errorf("waiting for the node to be cordoned: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	pods, err := client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("spec.nodeName", node.Name).String(),
	})
	if err != nil {
		return fmt.Errorf("cannot get pods for node %s: %w", node.Name, err)
	}
	var all sync.WaitGroup
	for _, pod := range pods.Items {
		if !evictable(&pod) {
			continue
		}
		all.Go(func() {
			if err := evict(ctx, client, &pod); err != nil {
				k.options.Logf("WARNING: failed to evict pod: %v", err)
			}
		})
	}
	all.Wait()
	return nil
}

func awaitCordoned(ctx context.Context, client kubernetes.Interface, name string) error {
	ctx, cancel := context.WithTimeout(ctx, cordonTimeout)
	defer cancel()
	for {
		node, err := client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
		if err == nil && node.Spec.Unschedulable {
			return nil
		}
		if err := wait(ctx, podInterval/2); err != nil {
			return err
		}
	}
}

func evictable(pod *corev1.Pod) bool {
	owner := metav1.GetControllerOf(pod)
	_, isStatic := pod.Annotations[corev1.MirrorPodAnnotationKey]
	return !isStatic && owner != nil && owner.Kind != "DaemonSet"
}

// evict evicts a pod as soon as its budget allows that, and waits for its end.
func evict(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod) error {
	for {
		err := client.PolicyV1().Evictions(pod.Namespace).Evict(ctx, &policy.Eviction{
			ObjectMeta:    metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Name},
			DeleteOptions: &metav1.DeleteOptions{GracePeriodSeconds: new(int64(graceSeconds))},
		})
		switch {
		case apierrors.IsNotFound(err):
			return nil
		case err == nil:
			return awaitEnd(ctx, client, pod)
		case !apierrors.IsTooManyRequests(err):
			return fmt.Errorf("failed to evict pod %s/%s: %w", pod.Namespace, pod.Name, err)
		}
		if err := wait(ctx, budgetInterval); err != nil {
			return fmt.Errorf("failed to evict pod %s/%s: %w", pod.Namespace, pod.Name, err)
		}
	}
}

func awaitEnd(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod) error {
	ctx, cancel := context.WithTimeout(ctx, podTimeout)
	defer cancel()
	for {
		now, err := client.CoreV1().Pods(pod.Namespace).Get(ctx, pod.Name, metav1.GetOptions{})
		// A node may not read a pod that is not on it, so not one that is gone.
		if apierrors.IsNotFound(err) || apierrors.IsForbidden(err) || err == nil && now.UID != pod.UID {
			return nil
		}
		if err := wait(ctx, podInterval); err != nil {
			return fmt.Errorf("failed waiting on pod %s/%s to be deleted: pod is still running on the node", pod.Namespace, pod.Name)
		}
	}
}

func wait(ctx context.Context, pause time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(pause):
		return nil
	}
}
