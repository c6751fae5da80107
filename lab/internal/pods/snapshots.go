package pods

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Source: kubernetes-csi/external-snapshotter, client/config/crd.
var (
	volumeSnapshots        = schema.GroupVersionResource{Group: "snapshot.storage.k8s.io", Version: "v1", Resource: "volumesnapshots"}
	volumeSnapshotContents = volumeSnapshots.GroupVersion().WithResource("volumesnapshotcontents")
)

// snapshot returns the folder of a VolumeSnapshot.
func (s *storage) snapshot(uid string) string { return s.path("snapshots", uid) }

// keepSnapshots takes requested snapshots and removes those whose object was deleted. While their definitions are
// missing it does nothing.
func (s *storage) keepSnapshots(ctx context.Context) error {
	wanted, err := s.dynamic.Resource(volumeSnapshots).List(ctx, metav1.ListOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	alive := map[string]bool{}
	for i := range wanted.Items {
		snapshot := &wanted.Items[i]
		alive[string(snapshot.GetUID())] = true
		if snapshot.GetDeletionTimestamp() == nil && !isReady(snapshot) {
			s.say(fmt.Sprintf("the snapshot %s/%s", snapshot.GetNamespace(), snapshot.GetName()), s.take(ctx, snapshot))
		}
	}
	contents, err := s.dynamic.Resource(volumeSnapshotContents).List(ctx, metav1.ListOptions{LabelSelector: madeHere.String()})
	if err != nil {
		return err
	}
	for i := range contents.Items {
		content := &contents.Items[i]
		uid, _, _ := unstructured.NestedString(content.Object, "spec", "volumeSnapshotRef", "uid")
		if alive[uid] || uid == "" {
			continue
		}
		if err := os.RemoveAll(s.snapshot(uid)); err != nil {
			return err
		}
		err := s.dynamic.Resource(volumeSnapshotContents).Delete(ctx, content.GetName(), metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

func isReady(snapshot *unstructured.Unstructured) bool {
	ready, _, _ := unstructured.NestedBool(snapshot.Object, "status", "readyToUse")
	return ready
}

// readySnapshot returns the UID of a VolumeSnapshot that is ready to use.
func (s *storage) readySnapshot(ctx context.Context, namespace, name string) (string, error) {
	found, err := s.dynamic.Resource(volumeSnapshots).Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	if !isReady(found) {
		return "", fmt.Errorf("the snapshot %s is not ready", name)
	}
	return string(found.GetUID()), nil
}

// take copies the volume of the snapshot's claim, and updates the objects as the snapshot controller does.
func (s *storage) take(ctx context.Context, snapshot *unstructured.Unstructured) error {
	name, _, _ := unstructured.NestedString(snapshot.Object, "spec", "source", "persistentVolumeClaimName")
	claim, err := s.claims.PersistentVolumeClaims(snapshot.GetNamespace()).Get(name)
	if err != nil {
		return err
	}
	if claim.Status.Phase != corev1.ClaimBound {
		return fmt.Errorf("the claim %s is not bound", name)
	}
	volume, err := s.volumes.Get(claim.Spec.VolumeName)
	if err != nil {
		return err
	}
	if volume.Spec.CSI == nil {
		return fmt.Errorf("the volume %s is not of a CSI driver", volume.Name)
	}
	folder := s.volume(volume.Name)
	if _, err := os.Stat(folder); err != nil {
		return fmt.Errorf("the volume %s: rbd: image not found", volume.Name)
	}
	taken := time.Now()
	if err := s.fill(s.snapshot(string(snapshot.GetUID())), folder); err != nil {
		return err
	}
	size := volume.Spec.Capacity[corev1.ResourceStorage]
	content, err := s.content(ctx, snapshot, volume)
	if err != nil {
		return err
	}
	content.Object["status"] = map[string]any{
		"snapshotHandle": string(snapshot.GetUID()), "creationTime": taken.UnixNano(), "readyToUse": true,
		"restoreSize": size.Value(),
	}
	if _, err := s.dynamic.Resource(volumeSnapshotContents).UpdateStatus(ctx, content, metav1.UpdateOptions{}); err != nil {
		return err
	}
	ready := snapshot.DeepCopy()
	ready.Object["status"] = map[string]any{
		"boundVolumeSnapshotContentName": content.GetName(), "creationTime": taken.UTC().Format(time.RFC3339),
		"readyToUse": true, "restoreSize": size.String(),
	}
	_, err = s.dynamic.Resource(volumeSnapshots).Namespace(snapshot.GetNamespace()).UpdateStatus(ctx, ready, metav1.UpdateOptions{})
	if err == nil {
		log.Printf("pods: %s/%s is a snapshot of %s", snapshot.GetNamespace(), snapshot.GetName(), volume.Name)
	}
	return err
}

// content returns the snapshot's VolumeSnapshotContent, which it creates if it is missing.
func (s *storage) content(ctx context.Context, snapshot *unstructured.Unstructured, volume *corev1.PersistentVolume) (*unstructured.Unstructured, error) {
	name := "snapcontent-" + string(snapshot.GetUID())
	spec := map[string]any{
		"deletionPolicy": "Delete", "driver": volume.Spec.CSI.Driver,
		"source": map[string]any{"volumeHandle": volume.Spec.CSI.VolumeHandle},
		"volumeSnapshotRef": map[string]any{
			"apiVersion": volumeSnapshots.GroupVersion().String(), "kind": "VolumeSnapshot",
			"namespace": snapshot.GetNamespace(), "name": snapshot.GetName(), "uid": string(snapshot.GetUID()),
		},
	}
	if mode := volume.Spec.VolumeMode; mode != nil {
		spec["sourceVolumeMode"] = string(*mode)
	}
	if class, ok, _ := unstructured.NestedString(snapshot.Object, "spec", "volumeSnapshotClassName"); ok {
		spec["volumeSnapshotClassName"] = class
	}
	made, err := s.dynamic.Resource(volumeSnapshotContents).Create(ctx, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": volumeSnapshotContents.GroupVersion().String(), "kind": "VolumeSnapshotContent",
		"metadata": map[string]any{"name": name, "labels": map[string]any{volumeLabel: "true"}}, "spec": spec,
	}}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return s.dynamic.Resource(volumeSnapshotContents).Get(ctx, name, metav1.GetOptions{})
	}
	return made, err
}
