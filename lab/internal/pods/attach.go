package pods

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	storagelisters "k8s.io/client-go/listers/storage/v1"
)

// attacher replaces the external-attacher of the CSI drivers. Kubernetes' own controller creates a VolumeAttachment for a
// volume and a node that a pod needs it on, and deletes it after the pod; until the attacher answers, the volume is neither
// attached nor detached. Source: kubernetes-csi/external-attacher v4.10, pkg/controller/csi_handler.go.
type attacher struct {
	client      kubernetes.Interface
	attachments storagelisters.VolumeAttachmentLister
	volumes     corelisters.PersistentVolumeLister
}

// run serves attachments until ctx ends.
func (a *attacher) run(ctx context.Context, say func(what string, err error)) {
	for {
		all, err := a.attachments.List(everything)
		say("attachments of volumes", err)
		for _, each := range all {
			say("volume attachment "+each.Name, a.serve(ctx, each))
		}
		if !sleep(ctx, storagePause) {
			return
		}
	}
}

// finalizer keeps an attachment until its volume is detached.
func finalizer(attachment *storagev1.VolumeAttachment) string {
	return "external-attacher/" + attachment.Spec.Attacher
}

func (a *attacher) serve(ctx context.Context, attachment *storagev1.VolumeAttachment) error {
	name := attachment.Spec.Source.PersistentVolumeName
	if name == nil {
		return nil
	}
	volume, err := a.volumes.Get(*name)
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	isOurs := err == nil && volume.Labels[volumeLabel] == "true"
	if !isOurs && attachment.DeletionTimestamp == nil {
		return nil
	}
	changed := attachment.DeepCopy()
	client := a.client.StorageV1().VolumeAttachments()
	holds := slices.Contains(attachment.Finalizers, finalizer(attachment))
	switch {
	case attachment.DeletionTimestamp != nil && holds:
		changed.Finalizers = slices.DeleteFunc(changed.Finalizers, func(each string) bool { return each == finalizer(attachment) })
		_, err = client.Update(ctx, changed, metav1.UpdateOptions{})
	case attachment.DeletionTimestamp == nil && !holds:
		changed.Finalizers = append(changed.Finalizers, finalizer(attachment))
		_, err = client.Update(ctx, changed, metav1.UpdateOptions{})
	case attachment.DeletionTimestamp == nil && !attachment.Status.Attached:
		changed.Status = storagev1.VolumeAttachmentStatus{Attached: true}
		_, err = client.UpdateStatus(ctx, changed, metav1.UpdateOptions{})
	}
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return nil // the next round sees what is there now
	}
	return err
}

// errAttaching means that a volume is not attached to the pod's node yet.
var errAttaching = errors.New("timed out waiting for the volume to attach")

// isAttached reports whether the volume is attached to the pod's node, which a kubelet waits for before it mounts.
func (a *attacher) isAttached(volume string, pod *corev1.Pod) error {
	all, err := a.attachments.List(everything)
	if err != nil {
		return err
	}
	for _, each := range all {
		name := each.Spec.Source.PersistentVolumeName
		if name != nil && *name == volume && each.Spec.NodeName == pod.Spec.NodeName && each.DeletionTimestamp == nil && each.Status.Attached {
			return nil
		}
	}
	return fmt.Errorf("MountVolume.WaitForAttach failed for volume %q: %w", volume, errAttaching)
}

// introduce registers a driver whose volumes are attached to nodes.
func introduce(ctx context.Context, client kubernetes.Interface, driver string) error {
	_, err := client.StorageV1().CSIDrivers().Create(ctx, &storagev1.CSIDriver{
		ObjectMeta: metav1.ObjectMeta{Name: driver}, Spec: storagev1.CSIDriverSpec{AttachRequired: new(true)},
	}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
