package kubelet

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// StaticPod is a control-plane program that runs on this machine outside of Kubernetes.
type StaticPod struct {
	Name    string
	Image   string
	Command []string
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
			var existing *corev1.Pod
			existing, err = pods.Get(ctx, wanted.Name, metav1.GetOptions{})
			if err == nil && existing.Annotations[hashAnnotation] != wanted.Annotations[hashAnnotation] {
				err = pods.Delete(ctx, wanted.Name, metav1.DeleteOptions{GracePeriodSeconds: new(int64)})
			}
			if apierrors.IsForbidden(err) {
				err = nil // the authorizer does not know the pod yet; the next round tries again
			}
		}
		if err != nil {
			return fmt.Errorf("showing %s as a pod: %w", each.Name, err)
		}
	}
	return nil
}

func mirrorPod(node Node, static StaticPod, owner *corev1.Node) *corev1.Pod {
	hash := fmt.Sprintf("%x", sha256.Sum256([]byte(static.Image+" "+strings.Join(static.Command, " "))))[:32]
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: static.Name + "-" + node.Name, Namespace: metav1.NamespaceSystem,
			Labels: map[string]string{
				"tier": "control-plane", "k8s-app": static.Name, "component": static.Name,
				"app.kubernetes.io/name": static.Name, "app.kubernetes.io/component": "control-plane",
				"app.kubernetes.io/managed-by": "Talos",
			},
			Annotations: map[string]string{
				corev1.MirrorPodAnnotationKey: hash, hashAnnotation: hash, sourceAnnotation: "file",
			},
			OwnerReferences: []metav1.OwnerReference{
				{APIVersion: "v1", Kind: "Node", Name: owner.Name, UID: owner.UID, Controller: new(true)},
			},
		},
		Spec: corev1.PodSpec{
			NodeName: node.Name, HostNetwork: true, PriorityClassName: "system-cluster-critical",
			Containers:  []corev1.Container{{Name: static.Name, Image: static.Image, Command: static.Command}},
			Tolerations: []corev1.Toleration{{Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute}},
		},
	}
}
