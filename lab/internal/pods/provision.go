package pods

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// labDriver provides what asks for no class, or for one that names no CSI driver.
	labDriver = "lab.hearth.dev"
	// provisionedBy says whose the volume is, and with that who deletes it.
	provisionedBy = "pv.kubernetes.io/provisioned-by"
)

// errElsewhere is of a claim that a volume populator serves, such as VolSync's.
var errElsewhere = errors.New("a volume populator makes the volume")

// keepClaims returns every claim a volume that waits for one, as CSI drivers do.
func (s *storage) keepClaims(ctx context.Context) error {
	claims, err := s.claims.List(everything)
	if err != nil {
		return err
	}
	for _, claim := range claims {
		if !isWaiting(claim) {
			continue
		}
		err := s.provide(ctx, claim)
		if errors.Is(err, errElsewhere) {
			err = nil
		}
		s.say(fmt.Sprintf("a volume for %s/%s", claim.Namespace, claim.Name), err)
	}
	return nil
}

func (s *storage) provide(ctx context.Context, claim *corev1.PersistentVolumeClaim) error {
	volume := volumeFor(claim)
	if _, err := s.volumes.Get(volume.Name); err == nil {
		return nil
	}
	from, err := s.origin(ctx, claim)
	if err != nil {
		return err
	}
	if err := s.fill(s.volume(volume.Name), from); err != nil {
		return err
	}
	driver, policy := s.driverOf(claim)
	if err := s.introduce(ctx, driver); err != nil {
		return err
	}
	volume.Annotations = map[string]string{provisionedBy: driver}
	volume.Spec.PersistentVolumeReclaimPolicy = policy
	volume.Spec.CSI = &corev1.CSIPersistentVolumeSource{Driver: driver, VolumeHandle: volume.Name}
	_, err = s.client.CoreV1().PersistentVolumes().Create(ctx, volume, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	if err == nil {
		log.Printf("pods: %s is the volume of %s/%s", volume.Name, claim.Namespace, claim.Name)
	}
	return err
}

// driverOf is the CSI driver that a claim asks for, and what becomes of the volume after the claim.
func (s *storage) driverOf(claim *corev1.PersistentVolumeClaim) (string, corev1.PersistentVolumeReclaimPolicy) {
	driver, policy := labDriver, corev1.PersistentVolumeReclaimDelete
	class, err := s.classes.Get(className(claim))
	if err != nil {
		return driver, policy
	}
	// Names with a slash are of what Kubernetes once had built in.
	if !strings.Contains(class.Provisioner, "/") {
		driver = class.Provisioner
	}
	if class.ReclaimPolicy != nil {
		policy = *class.ReclaimPolicy
	}
	return driver, policy
}

// introduce makes a driver known. Kubernetes would otherwise wait for it to attach each volume to a node.
func (s *storage) introduce(ctx context.Context, driver string) error {
	if s.drivers[driver] {
		return nil
	}
	_, err := s.client.StorageV1().CSIDrivers().Create(ctx, &storagev1.CSIDriver{
		ObjectMeta: metav1.ObjectMeta{Name: driver},
		Spec:       storagev1.CSIDriverSpec{AttachRequired: new(false)},
	}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	s.drivers[driver] = true
	return nil
}

// origin is the folder that a claim's volume begins as a copy of; empty where it begins empty.
func (s *storage) origin(ctx context.Context, claim *corev1.PersistentVolumeClaim) (string, error) {
	// The API server keeps dataSource and dataSourceRef the same for both kinds that matter here.
	source := claim.Spec.DataSourceRef
	if source == nil {
		return "", nil
	}
	group := ""
	if source.APIGroup != nil {
		group = *source.APIGroup
	}
	folder := ""
	switch group + "/" + source.Kind {
	case "/PersistentVolumeClaim":
		other, err := s.claims.PersistentVolumeClaims(claim.Namespace).Get(source.Name)
		if err != nil {
			return "", err
		}
		if other.Status.Phase != corev1.ClaimBound {
			return "", fmt.Errorf("the claim %s, which it is to be a copy of, is not bound", source.Name)
		}
		folder = s.volume(other.Spec.VolumeName)
	case volumeSnapshots.Group + "/VolumeSnapshot":
		uid, err := s.readySnapshot(ctx, claim.Namespace, source.Name)
		if err != nil {
			return "", err
		}
		folder = s.snapshot(uid)
	default:
		return "", errElsewhere
	}
	if _, err := os.Stat(folder); err != nil {
		return "", fmt.Errorf("%s %s: rbd: image not found", source.Kind, source.Name)
	}
	return folder, nil
}

// reclaim deletes the volumes that their claims left behind to be deleted.
func (s *storage) reclaim(ctx context.Context) error {
	made, err := s.volumes.List(madeHere)
	if err != nil {
		return err
	}
	for _, volume := range made {
		isDue := volume.Status.Phase == corev1.VolumeReleased && volume.DeletionTimestamp == nil
		if !isDue || volume.Spec.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimDelete {
			continue
		}
		// Somebody may just be giving the volume to another claim.
		err := s.client.CoreV1().PersistentVolumes().Delete(ctx, volume.Name, metav1.DeleteOptions{
			Preconditions: &metav1.Preconditions{UID: &volume.UID, ResourceVersion: &volume.ResourceVersion},
		})
		if err == nil {
			err = os.RemoveAll(s.path("volumes", volume.Name))
		}
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return err
		}
	}
	return nil
}
