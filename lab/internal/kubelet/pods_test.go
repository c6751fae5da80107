package kubelet

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestMarkReady(t *testing.T) {
	pod := func(ready, containers corev1.ConditionStatus, reason string) *corev1.Pod {
		return &corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{
			{Type: corev1.PodReady, Status: ready, Reason: reason}, {Type: corev1.ContainersReady, Status: containers},
		}}}
	}
	for name, test := range map[string]struct {
		pod    *corev1.Pod
		marked bool
		ready  corev1.ConditionStatus
	}{
		"whose node was away":      {pod(corev1.ConditionFalse, corev1.ConditionTrue, ""), true, corev1.ConditionTrue},
		"that is ready":            {pod(corev1.ConditionTrue, corev1.ConditionTrue, ""), false, corev1.ConditionTrue},
		"whose containers are not": {pod(corev1.ConditionFalse, corev1.ConditionFalse, "ContainersNotReady"), false, corev1.ConditionFalse},
		"that waits for a gate":    {pod(corev1.ConditionFalse, corev1.ConditionTrue, gatesNotReady), false, corev1.ConditionFalse},
	} {
		marked := markReady(test.pod)
		if is := podCondition(test.pod, corev1.PodReady).Status; marked != test.marked || is != test.ready {
			t.Errorf("a pod %s: marked %t, ready %s", name, marked, is)
		}
	}
}
