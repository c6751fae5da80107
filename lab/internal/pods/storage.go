package pods

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	storagelisters "k8s.io/client-go/listers/storage/v1"
	"k8s.io/client-go/rest"

	"hearth.dev/lab/internal/labconfig"
)

// storagePause is the polling interval of the storage.
const storagePause = 500 * time.Millisecond

// storage replaces the cluster's storage and its CSI drivers. Volumes and snapshots are folders.
type storage struct {
	lab     *labconfig.Lab
	client  kubernetes.Interface
	dynamic dynamic.Interface
	claims  corelisters.PersistentVolumeClaimLister
	volumes corelisters.PersistentVolumeLister
	classes storagelisters.StorageClassLister
	// attacher attaches volumes to nodes.
	attacher *attacher
	// drivers are the CSI drivers that were registered in the cluster.
	drivers map[string]bool
	// said maps objects to their last logged error.
	said map[string]string
}

func newStorage(lab *labconfig.Lab, config *rest.Config, client kubernetes.Interface, factory informers.SharedInformerFactory, attacher *attacher) (*storage, error) {
	untyped, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	s := &storage{
		lab: lab, client: client, dynamic: untyped,
		claims:   factory.Core().V1().PersistentVolumeClaims().Lister(),
		volumes:  factory.Core().V1().PersistentVolumes().Lister(),
		classes:  factory.Storage().V1().StorageClasses().Lister(),
		attacher: attacher, drivers: map[string]bool{}, said: map[string]string{},
	}
	// Before a pod can find a volume that was lost with the machines.
	_, err = s.keepPool()
	return s, err
}

// run serves claims and snapshots until ctx ends.
func (s *storage) run(ctx context.Context) {
	for {
		there, err := s.keepPool()
		s.say("the storage pool", err)
		if there {
			s.say("snapshots", s.keepSnapshots(ctx))
			s.say("claims", s.keepClaims(ctx))
		}
		s.say("volumes", s.reclaim(ctx))
		if !sleep(ctx, storagePause) {
			return
		}
	}
}

// path joins elements to the folder of all storage.
func (s *storage) path(elements ...string) string {
	return filepath.Join(append([]string{s.lab.Path("storage")}, elements...)...)
}

// volume returns a volume's folder. VolSync's mover restores only backups of a folder with the same name.
func (s *storage) volume(name string) string { return s.path("volumes", name, "data") }

// mounted returns the folder of the volume that a pod's claim is bound to, once it is attached to the pod's node.
func (s *storage) mounted(ctx context.Context, pod *corev1.Pod, name string) (string, error) {
	claim, err := s.client.CoreV1().PersistentVolumeClaims(pod.Namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	if claim.Status.Phase != corev1.ClaimBound {
		return "", fmt.Errorf("persistentvolumeclaim %q is not bound", name)
	}
	if err := s.attacher.isAttached(claim.Spec.VolumeName, pod); err != nil {
		return "", err
	}
	folder := s.volume(claim.Spec.VolumeName)
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		return "", &imageMissing{claim.Spec.VolumeName}
	} else if err != nil {
		return "", err
	}
	return folder, nil
}

// imageMissing is the error of Ceph's driver for a volume that is not in its pool.
type imageMissing struct{ volume string }

func (e *imageMissing) Error() string {
	return fmt.Sprintf("MountVolume.MountDevice failed for volume %q: rbd: image not found", e.volume)
}

// fill creates a folder atomically, empty or as a copy.
func (s *storage) fill(folder, from string) error {
	if _, err := os.Stat(folder); err == nil {
		return nil
	}
	unfinished := folder + ".unfinished"
	if err := os.RemoveAll(unfinished); err != nil {
		return err
	}
	err := makeFolder(filepath.Dir(folder))
	if err == nil && from == "" {
		err = os.Mkdir(unfinished, 0o755)
	} else if err == nil {
		err = copyFolder(from, unfinished)
	}
	if err != nil {
		return err
	}
	return os.Rename(unfinished, folder)
}

// say logs an error of an object once.
func (s *storage) say(what string, err error) { sayOnce(s.said, what, err) }

// sayOnce logs an error of an object unless it is the one that said has of it.
func sayOnce(said map[string]string, what string, err error) {
	if err == nil {
		delete(said, what)
		return
	}
	if said[what] != err.Error() && !errors.Is(err, context.Canceled) {
		said[what] = err.Error()
		log.Printf("pods: %s: %v", what, err)
	}
}
