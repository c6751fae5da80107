package pods

import (
	"context"
	"log"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
)

// volumeLabel marks the volumes that the lab created.
const volumeLabel = "lab.hearth.dev/volume"

var madeHere = labels.SelectorFromSet(labels.Set{volumeLabel: "true"})

// claims provides a volume for every claim, whatever its class, because the lab runs no storage drivers. The volumes
// hold no data, so nothing is restored into them. Kubernetes binds claim and volume.
func (r *runner) claims(ctx context.Context, factory informers.SharedInformerFactory) error {
	claims := factory.Core().V1().PersistentVolumeClaims().Lister()
	volumes := factory.Core().V1().PersistentVolumes().Lister()
	if err := introduce(ctx, r.client, labDriver); err != nil {
		return err
	}
	for {
		waiting, err := claims.List(labels.Everything())
		if err != nil {
			return err
		}
		for _, claim := range waiting {
			if isWaiting(claim) {
				r.provide(ctx, claim)
			}
		}
		made, err := volumes.List(madeHere)
		if err != nil {
			return err
		}
		for _, volume := range made {
			if volume.Status.Phase == corev1.VolumeReleased && volume.DeletionTimestamp == nil {
				err := r.client.CoreV1().PersistentVolumes().Delete(ctx, volume.Name, metav1.DeleteOptions{})
				logUnlessGone(err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// isWaiting reports whether a claim needs a volume.
func isWaiting(claim *corev1.PersistentVolumeClaim) bool {
	return claim.Spec.VolumeName == "" && claim.DeletionTimestamp == nil && claim.Status.Phase == corev1.ClaimPending
}

func (r *runner) provide(ctx context.Context, claim *corev1.PersistentVolumeClaim) {
	volume := volumeFor(claim)
	volume.Spec.PersistentVolumeReclaimPolicy = corev1.PersistentVolumeReclaimRetain
	volume.Spec.CSI = &corev1.CSIPersistentVolumeSource{Driver: labDriver, VolumeHandle: volume.Name}
	if _, err := r.client.CoreV1().PersistentVolumes().Create(ctx, volume, metav1.CreateOptions{}); err == nil {
		log.Printf("pods: a volume for %s/%s", claim.Namespace, claim.Name)
	} else if !apierrors.IsAlreadyExists(err) {
		log.Printf("pods: a volume for %s/%s: %v", claim.Namespace, claim.Name, err)
	}
}

// volumeFor returns a volume, without a source, that only this claim can bind.
func volumeFor(claim *corev1.PersistentVolumeClaim) *corev1.PersistentVolume {
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: "pvc-" + string(claim.UID), Labels: map[string]string{volumeLabel: "true"}},
		Spec: corev1.PersistentVolumeSpec{
			StorageClassName: className(claim), AccessModes: claim.Spec.AccessModes, VolumeMode: claim.Spec.VolumeMode,
			Capacity: claim.Spec.Resources.Requests,
			ClaimRef: &corev1.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim",
				Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID,
			},
		},
	}
}

func className(claim *corev1.PersistentVolumeClaim) string {
	if claim.Spec.StorageClassName == nil {
		return ""
	}
	return *claim.Spec.StorageClassName
}

func logUnlessGone(err error) {
	if err != nil && !apierrors.IsNotFound(err) {
		log.Printf("pods: removing a volume: %v", err)
	}
}
