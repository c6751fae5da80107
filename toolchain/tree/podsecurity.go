package main

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// templates are the paths at which kinds have their pods.
var templates = map[string][]string{
	"Pod":         {},
	"Deployment":  {"spec", "template"},
	"StatefulSet": {"spec", "template"},
	"DaemonSet":   {"spec", "template"},
	"ReplicaSet":  {"spec", "template"},
	"Job":         {"spec", "template"},
	"CronJob":     {"spec", "jobTemplate", "spec", "template"},
}

// podEvaluator is what the API server's admission evaluates pods with.
var podEvaluator = func() policy.Evaluator {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		panic(err)
	}
	return evaluator
}()

// forbidden returns what each level of the Pod Security Standards forbids of an object's pods. It is empty for what has none, and for pods
// that do not have the form of a pod, which the schema finds.
func forbidden(object unstructured.Unstructured) map[string][]string {
	path, known := templates[object.GetKind()]
	if !known {
		return nil
	}
	content := object.Object
	if len(path) > 0 {
		content, _, _ = unstructured.NestedMap(object.Object, path...)
	}
	var pod corev1.PodTemplateSpec
	if runtime.DefaultUnstructuredConverter.FromUnstructured(content, &pod) != nil {
		return nil
	}
	found := map[string][]string{}
	for _, level := range []api.Level{api.LevelBaseline, api.LevelRestricted} {
		for _, each := range podEvaluator.EvaluatePod(api.LevelVersion{Level: level, Version: api.LatestVersion()}, &pod.ObjectMeta, &pod.Spec) {
			if !each.Allowed {
				found[string(level)] = append(found[string(level)], each.ForbiddenReason+" ("+each.ForbiddenDetail+")")
			}
		}
	}
	return found
}
