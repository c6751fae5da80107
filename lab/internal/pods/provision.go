package pods

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// labDriver provisions claims without a class, and those whose class names no CSI driver.
	labDriver = "lab.hearth.dev"
	// provisionedBy is the annotation with the driver that created the volume and deletes it.
	provisionedBy = "pv.kubernetes.io/provisioned-by"
)

// errElsewhere means that a volume populator, such as VolSync's, serves the claim.
var errElsewhere = errors.New("a volume populator makes the volume")

// keepClaims provides a volume for every waiting claim, as CSI drivers do.
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

// driverOf returns the CSI driver of a claim, and the volume's reclaim policy.
func (s *storage) driverOf(claim *corev1.PersistentVolumeClaim) (string, corev1.PersistentVolumeReclaimPolicy) {
	driver, policy := labDriver, corev1.PersistentVolumeReclaimDelete
	class, err := s.classes.Get(className(claim))
	if err != nil {
		return driver, policy
	}
	// A name with a slash is that of a driver that was once built into Kubernetes.
	if !strings.Contains(class.Provisioner, "/") {
		driver = class.Provisioner
	}
	if class.ReclaimPolicy != nil {
		policy = *class.ReclaimPolicy
	}
	return driver, policy
}

// introduce registers a driver once.
func (s *storage) introduce(ctx context.Context, driver string) error {
	if s.drivers[driver] {
		return nil
	}
	if err := introduce(ctx, s.client, driver); err != nil {
		return err
	}
	s.drivers[driver] = true
	return nil
}

// origin returns the folder that a claim's volume is copied from, empty if the volume starts empty.
func (s *storage) origin(ctx context.Context, claim *corev1.PersistentVolumeClaim) (string, error) {
	// The API server keeps dataSource and dataSourceRef equal for both kinds that matter here.
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
			return "", fmt.Errorf("the source claim %s is not bound", source.Name)
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

// reclaim deletes released volumes whose policy says so.
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
		// Somebody may be giving the volume to another claim at this moment.
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
