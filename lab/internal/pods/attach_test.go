package pods

import (
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	corelisters "k8s.io/client-go/listers/core/v1"
	storagelisters "k8s.io/client-go/listers/storage/v1"
	"k8s.io/client-go/tools/cache"
)

// attached serves an attachment of a volume once and returns what became of it.
func attached(t *testing.T, volume *corev1.PersistentVolume, attachment *storagev1.VolumeAttachment) (*attacher, *storagev1.VolumeAttachment) {
	t.Helper()
	client := fake.NewClientset(attachment)
	index := func() cache.Indexer { return cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{}) }
	volumes, attachments := index(), index()
	if err := errors.Join(volumes.Add(volume), attachments.Add(attachment)); err != nil {
		t.Fatal(err)
	}
	a := &attacher{client: client, attachments: storagelisters.NewVolumeAttachmentLister(attachments), volumes: corelisters.NewPersistentVolumeLister(volumes)}
	if err := a.serve(t.Context(), attachment); err != nil {
		t.Fatal(err)
	}
	after, err := client.StorageV1().VolumeAttachments().Get(t.Context(), attachment.Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return a, after
}

func attachmentOf(volume string, isAttached bool, finalizers ...string) *storagev1.VolumeAttachment {
	return &storagev1.VolumeAttachment{
		ObjectMeta: metav1.ObjectMeta{Name: "csi-1", Finalizers: finalizers},
		Spec: storagev1.VolumeAttachmentSpec{
			Attacher: labDriver, NodeName: "wk01", Source: storagev1.VolumeAttachmentSource{PersistentVolumeName: &volume},
		},
		Status: storagev1.VolumeAttachmentStatus{Attached: isAttached},
	}
}

func labVolume() *corev1.PersistentVolume {
	return &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pvc-1", Labels: map[string]string{volumeLabel: "true"}}}
}

const held = "external-attacher/" + labDriver

func TestAnAttachmentIsHeldBeforeItsVolumeIsAttached(t *testing.T) {
	_, after := attached(t, labVolume(), attachmentOf("pvc-1", false))
	if len(after.Finalizers) != 1 || after.Finalizers[0] != held || after.Status.Attached {
		t.Errorf("first: %v %v", after.Finalizers, after.Status)
	}
	if _, after = attached(t, labVolume(), after); !after.Status.Attached {
		t.Error("it is not attached")
	}
}

func TestADeletedAttachmentIsDetached(t *testing.T) {
	deleted := attachmentOf("pvc-1", true, held, "somebody/else")
	deleted.DeletionTimestamp = new(metav1.Now())
	if _, after := attached(t, labVolume(), deleted); len(after.Finalizers) != 1 || after.Finalizers[0] != "somebody/else" {
		t.Errorf("it keeps %v", after.Finalizers)
	}
}

func TestAnothersVolumeIsLeftAlone(t *testing.T) {
	others := &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pvc-1"}}
	if _, after := attached(t, others, attachmentOf("pvc-1", false)); len(after.Finalizers) != 0 || after.Status.Attached {
		t.Errorf("it became %v %v", after.Finalizers, after.Status)
	}
}

func TestAPodMountsOnlyWhatIsAttachedToItsNode(t *testing.T) {
	pod := &corev1.Pod{Spec: corev1.PodSpec{NodeName: "wk01"}}
	leaving := attachmentOf("pvc-1", true, held)
	leaving.DeletionTimestamp = new(metav1.Now())
	for what, attachment := range map[string]*storagev1.VolumeAttachment{
		"not attached": attachmentOf("pvc-1", false, held), "another volume": attachmentOf("pvc-2", true, held), "detaching": leaving,
	} {
		a, _ := attached(t, labVolume(), attachment)
		if err := a.isAttached("pvc-1", pod); !errors.Is(err, errAttaching) {
			t.Errorf("%s: %v", what, err)
		}
	}
	a, _ := attached(t, labVolume(), attachmentOf("pvc-1", true, held))
	if err := a.isAttached("pvc-1", pod); err != nil {
		t.Error(err)
	}
	if err := a.isAttached("pvc-1", &corev1.Pod{Spec: corev1.PodSpec{NodeName: "wk02"}}); !errors.Is(err, errAttaching) {
		t.Errorf("on another node: %v", err)
	}
}
