package pods

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestReferencesToVariablesAreExpanded has the cases of k8s.io/kubernetes/third_party/forked/golang/expansion.
func TestReferencesToVariablesAreExpanded(t *testing.T) {
	values := map[string]string{"A": "a", "B": "$(A)", "EMPTY": ""}
	for text, want := range map[string]string{
		"$(A)":       "a",
		"x$(A)y$(A)": "xaya",
		"$(B)":       "$(A)",
		"$(EMPTY)":   "",
		"$(NONE)":    "$(NONE)",
		"$$(A)":      "$(A)",
		"$$$(A)":     "$a",
		"$":          "$",
		"$A":         "$A",
		"$(A":        "$(A",
		"":           "",
	} {
		if got := expanded(text, values); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestALaterVariableHidesAnEarlierOneInItsPlace(t *testing.T) {
	env := &variables{values: map[string]string{}}
	env.set("A", "1")
	env.set("B", "2")
	env.set("A", "3")
	if got := env.list(); !slices.Equal(got, []string{"A=3", "B=2"}) {
		t.Errorf("got %v", got)
	}
}

func TestFieldsOfAPodAreItsDownwardAPI(t *testing.T) {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "n", UID: "u", Labels: map[string]string{"app": "x"}, Annotations: map[string]string{"a/b": "y"}},
		Spec:       corev1.PodSpec{NodeName: "node", ServiceAccountName: "account"},
		Status:     corev1.PodStatus{HostIP: "10.0.0.1", PodIP: "10.244.0.2"},
	}
	for path, want := range map[string]string{
		"metadata.name": "p", "metadata.namespace": "n", "metadata.uid": "u", "metadata.labels['app']": "x",
		"metadata.annotations['a/b']": "y", "spec.nodeName": "node", "spec.serviceAccountName": "account",
		"status.hostIP": "10.0.0.1", "status.podIP": "10.244.0.2",
	} {
		if got, err := fieldValue(pod, path); err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", path, got, err, want)
		}
	}
	if _, err := fieldValue(pod, "spec.schedulerName"); err == nil {
		t.Error("an unsupported field is accepted")
	}
}

func TestResourcesAreGivenInTheUnitOfTheDivisorRoundedUp(t *testing.T) {
	container := &corev1.Container{Name: "c", Resources: corev1.ResourceRequirements{
		Limits:   corev1.ResourceList{"memory": resource.MustParse("100Mi")},
		Requests: corev1.ResourceList{"cpu": resource.MustParse("250m")},
	}}
	node := &corev1.Node{Status: corev1.NodeStatus{Allocatable: corev1.ResourceList{"cpu": resource.MustParse("4")}}}
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{*container}}}
	for _, test := range []struct{ resource, divisor, want string }{
		{"limits.memory", "1Mi", "100"},
		{"limits.memory", "1Gi", "1"},
		{"requests.cpu", "1m", "250"},
		{"requests.cpu", "", "1"},
		{"limits.cpu", "", "4"},
	} {
		ref := &corev1.ResourceFieldSelector{Resource: test.resource}
		if test.divisor != "" {
			ref.Divisor = resource.MustParse(test.divisor)
		}
		if got, err := resourceValue(pod, node, container, ref); err != nil || got != test.want {
			t.Errorf("%s in %s: got %s, %v; want %s", test.resource, test.divisor, got, err, test.want)
		}
	}
	if _, err := resourceValue(pod, node, container, &corev1.ResourceFieldSelector{Resource: "cpu"}); err == nil {
		t.Error("a resource without a kind is accepted")
	}
}
