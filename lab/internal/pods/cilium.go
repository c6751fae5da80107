package pods

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"
)

// definitions is the resource of custom resource definitions.
var definitions = schema.GroupVersionResource{
	Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions",
}

// ciliumOperator selects the pods of Cilium's operator. Source: its chart, templates/cilium-operator.
var ciliumOperator = labels.Set{"io.cilium/app": "operator"}.AsSelector()

// defineCilium creates Cilium's custom resource definitions once its operator runs. The real operator creates them when
// it starts, but here it is only simulated.
func (r *runner) defineCilium(ctx context.Context) error {
	chart := r.lab.Data["cilium"]
	if chart == "" {
		return nil
	}
	for !r.isCiliumRunning() {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(250 * time.Millisecond):
		}
	}
	// The chart is the folder install/kubernetes/cilium of Cilium's module.
	files, err := filepath.Glob(filepath.Join(chart, "..", "..", "..", "pkg/k8s/apis/cilium.io/client/crds", "v2*", "*.yaml"))
	if err != nil {
		return err
	}
	client, err := dynamic.NewForConfig(r.config)
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := define(ctx, client, file); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(file), err)
		}
	}
	log.Printf("pods: Cilium's operator runs, and %d of its definitions are there", len(files))
	return nil
}

func (r *runner) isCiliumRunning() bool {
	operators, err := r.pods.Pods(metav1.NamespaceSystem).List(ciliumOperator)
	return err == nil && slices.ContainsFunc(operators, func(pod *corev1.Pod) bool {
		return pod.Status.Phase == corev1.PodRunning
	})
}

// define creates a definition if it does not exist.
func define(ctx context.Context, client dynamic.Interface, file string) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	definition := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(raw, &definition.Object); err != nil {
		return err
	}
	_, err = client.Resource(definitions).Create(ctx, definition, metav1.CreateOptions{FieldManager: "cilium-operator"})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
