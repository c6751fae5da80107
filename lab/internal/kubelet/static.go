package kubelet

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"strings"

	"github.com/siderolabs/talos/pkg/machinery/constants"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
)

// StaticPod is a control-plane program that runs on this machine outside of Kubernetes.
type StaticPod struct {
	Name    string
	Image   string
	Command []string
	// ConfigVersion is the version of the resource that the pod was made from.
	ConfigVersion string
}

const (
	hashAnnotation   = "kubernetes.io/config.hash"
	sourceAnnotation = "kubernetes.io/config.source"
)

// mirror creates mirror pods for the control plane's programs, as a kubelet does for static pods.
func mirror(ctx context.Context, client kubernetes.Interface, node Node, static []StaticPod) error {
	if len(static) == 0 {
		return nil
	}
	owner, err := client.CoreV1().Nodes().Get(ctx, node.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	pods := client.CoreV1().Pods(metav1.NamespaceSystem)
	for _, each := range static {
		wanted := mirrorPod(node, each, owner)
		// A node may not read a pod that does not exist, so it is created first.
		_, err := pods.Create(ctx, wanted, metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			err = replace(ctx, pods, wanted)
		}
		if err != nil {
			return fmt.Errorf("showing %s as a pod: %w", each.Name, err)
		}
	}
	return nil
}

// replace deletes and creates a mirror pod that is not as wanted.
func replace(ctx context.Context, pods corev1client.PodInterface, wanted *corev1.Pod) error {
	existing, err := pods.Get(ctx, wanted.Name, metav1.GetOptions{})
	if apierrors.IsForbidden(err) {
		return nil // the authorizer does not know the pod yet; the next round tries again
	}
	if err != nil || existing.Annotations[hashAnnotation] == wanted.Annotations[hashAnnotation] {
		return err
	}
	if err := pods.Delete(ctx, wanted.Name, metav1.DeleteOptions{GracePeriodSeconds: new(int64)}); err != nil {
		return err
	}
	_, err = pods.Create(ctx, wanted, metav1.CreateOptions{})
	return err
}

// pod is the pod that Talos has the kubelet run.
func (s StaticPod) pod() *corev1.Pod {
	return &corev1.Pod{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{
			Name: s.Name, Namespace: metav1.NamespaceSystem,
			Labels: map[string]string{
				"tier": "control-plane", "k8s-app": s.Name, "component": s.Name,
				"app.kubernetes.io/name": s.Name, "app.kubernetes.io/component": "control-plane",
				"app.kubernetes.io/managed-by": "Talos",
			},
			Annotations: map[string]string{constants.AnnotationStaticPodConfigVersion: s.ConfigVersion},
		},
		Spec: corev1.PodSpec{
			HostNetwork: true, PriorityClassName: "system-cluster-critical",
			Containers:  []corev1.Container{{Name: s.Name, Image: s.Image, Command: s.Command}},
			Tolerations: []corev1.Toleration{{Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute}},
		},
	}
}

// Manifest is the pod as an object.
func (s StaticPod) Manifest() map[string]any {
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(s.pod())
	if err != nil {
		panic(err) // a Pod always converts
	}
	return object
}

// mirrorPod is the pod by which a kubelet shows a static pod.
func mirrorPod(node Node, static StaticPod, owner *corev1.Node) *corev1.Pod {
	content := static.Image + " " + strings.Join(static.Command, " ") + " " + static.ConfigVersion
	hash := fmt.Sprintf("%x", sha256.Sum256([]byte(content)))[:32]
	pod := static.pod()
	pod.Name += "-" + node.Name
	maps.Copy(pod.Annotations, map[string]string{
		corev1.MirrorPodAnnotationKey: hash, hashAnnotation: hash, sourceAnnotation: "file",
	})
	pod.OwnerReferences = []metav1.OwnerReference{
		{APIVersion: "v1", Kind: "Node", Name: owner.Name, UID: owner.UID, Controller: new(true)},
	}
	pod.Spec.NodeName = node.Name
	return pod
}
