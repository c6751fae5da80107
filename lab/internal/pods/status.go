package pods

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// changed schedules a write of the pod's status.
func (w *worker) changed() {
	select {
	case w.dirty <- struct{}{}:
	default:
	}
}

// report writes the pod's status whenever it has changed. It writes nothing while the node is down.
func (w *worker) report(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_ = w.gone.wait(ctx, true)
		cancel()
	}()
	for {
		select {
		case <-w.dirty:
		case <-ctx.Done():
			return
		}
		if w.host.alive.wait(ctx, true) != nil {
			return
		}
		if err := w.writeStatus(ctx); err != nil && ctx.Err() == nil {
			log.Printf("pods: %s: writing its status: %v", w, err)
			w.changed()
			sleep(ctx, retryPause)
		}
	}
}

// writeStatus patches the changes of the status as a kubelet does: against the present object, and only for this pod's
// UID.
func (w *worker) writeStatus(ctx context.Context) error {
	client := w.runner.client.CoreV1().Pods(w.object().Namespace)
	before, err := client.Get(ctx, w.object().Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) || err == nil && before.UID != w.object().UID {
		return nil
	}
	if err != nil {
		return err
	}
	after := before.DeepCopy()
	after.Status = *w.status(before)
	patch, err := statusPatch(before, after)
	if err != nil || patch == nil {
		return err
	}
	_, err = client.Patch(ctx, before.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// statusPatch returns the difference between two statuses of a pod, nil if there is none.
func statusPatch(before, after *corev1.Pod) ([]byte, error) {
	bare := func(pod *corev1.Pod) ([]byte, error) { return json.Marshal(corev1.Pod{Status: pod.Status}) }
	old, err := bare(before)
	if err != nil {
		return nil, err
	}
	wanted, err := bare(after)
	if err != nil {
		return nil, err
	}
	patch, err := strategicpatch.CreateTwoWayMergePatch(old, wanted, corev1.Pod{})
	if err != nil || string(patch) == "{}" {
		return nil, err
	}
	difference := map[string]any{}
	if err := json.Unmarshal(patch, &difference); err != nil {
		return nil, err
	}
	difference["metadata"] = map[string]any{"uid": before.UID}
	return json.Marshal(difference)
}

// status returns the pod's status from the present state of its containers.
func (w *worker) status(pod *corev1.Pod) *corev1.PodStatus {
	w.mu.Lock()
	address, node := w.address, w.node
	w.mu.Unlock()
	status := pod.Status.DeepCopy()
	status.StartTime, status.Phase = &metav1.Time{Time: w.started}, corev1.PodRunning
	status.ContainerStatuses, status.InitContainerStatuses = nil, nil
	if node != nil {
		if host := nodeAddress(node); host != "" {
			status.HostIP, status.HostIPs = host, []corev1.HostIP{{IP: host}}
		}
	}
	if address != "" {
		status.PodIP, status.PodIPs = address, []corev1.PodIP{{IP: address}}
	}
	var unready []string
	ended, failed := 0, false
	for _, c := range w.containers {
		container, begun := c.snapshot()
		status.ContainerStatuses = append(status.ContainerStatuses, container)
		if !container.Ready {
			unready = append(unready, container.Name)
		}
		if !begun {
			status.Phase = corev1.PodPending
		}
		if terminated := container.State.Terminated; terminated != nil && (pod.DeletionTimestamp != nil || c.isOver()) {
			ended++
			failed = failed || terminated.ExitCode != 0
		}
	}
	if ended == len(w.containers) {
		status.Phase = corev1.PodSucceeded
		if failed {
			status.Phase = corev1.PodFailed
		}
	}
	// The lab does not run init containers, so they are reported as completed.
	for _, init := range pod.Spec.InitContainers {
		status.InitContainerStatuses = append(status.InitContainerStatuses, corev1.ContainerStatus{
			Name: init.Name, Image: init.Image, Ready: true,
			State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				Reason: "Completed", StartedAt: *status.StartTime, FinishedAt: *status.StartTime,
			}},
		})
	}
	status.Conditions = conditions(pod, address != "", unready)
	return status
}

// conditions returns the pod's conditions: the kubelet's with their present values, and those of others unchanged. A
// condition that keeps its value keeps its transition time.
func conditions(pod *corev1.Pod, addressed bool, unready []string) []corev1.PodCondition {
	all := slices.Clone(pod.Status.Conditions)
	add := func(kind corev1.PodConditionType, ok bool, reason, message string) {
		condition := corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now()}
		if !ok {
			condition.Status, condition.Reason, condition.Message = corev1.ConditionFalse, reason, message
		}
		index := slices.IndexFunc(all, func(old corev1.PodCondition) bool { return old.Type == kind })
		if index < 0 {
			all = append(all, condition)
			return
		}
		if all[index].Status == condition.Status {
			condition.LastTransitionTime = all[index].LastTransitionTime
		}
		all[index] = condition
	}
	message := fmt.Sprintf("containers with unready status: [%s]", strings.Join(unready, " "))
	gates := true
	for _, gate := range pod.Spec.ReadinessGates {
		gates = gates && hasCondition(pod, gate.ConditionType)
	}
	add(corev1.PodReadyToStartContainers, addressed, "", "")
	add(corev1.PodInitialized, true, "", "")
	add(corev1.ContainersReady, len(unready) == 0, "ContainersNotReady", message)
	if len(unready) == 0 && !gates {
		add(corev1.PodReady, false, "ReadinessGatesNotReady", "a readiness gate's condition is not true")
	} else {
		add(corev1.PodReady, len(unready) == 0, "ContainersNotReady", message)
	}
	return all
}

func hasCondition(pod *corev1.Pod, kind corev1.PodConditionType) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == kind {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

// remove deletes the pod's object and folder after its processes have ended, as a kubelet does. It waits while the node
// is down.
func (w *worker) remove(ctx context.Context) {
	pod := w.object()
	for {
		if gone, _ := w.gone.state(); gone {
			break
		}
		if w.aliveOrGone(ctx) != nil {
			return
		}
		zero := int64(0)
		err := w.runner.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
			GracePeriodSeconds: &zero, Preconditions: metav1.NewUIDPreconditions(string(pod.UID)),
		})
		if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
			break
		}
		log.Printf("pods: %s: deleting it: %v", w, err)
		if !sleep(ctx, retryPause) {
			return
		}
	}
	if err := errors.Join(os.RemoveAll(w.root), w.runner.temporary.remove(string(w.object().UID))); err != nil {
		log.Printf("pods: %s: deleting its folders: %v", w, err)
	}
}

// aliveOrGone waits until the pod's node is up or the pod's object is gone.
func (w *worker) aliveOrGone(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		if w.gone.wait(ctx, true) == nil {
			cancel(nil)
		}
	}()
	err := w.host.alive.wait(ctx, true)
	if gone, _ := w.gone.state(); gone {
		return nil
	}
	return err
}
