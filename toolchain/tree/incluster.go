package main

import (
	"context"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	generator "github.com/fluxcd/pkg/kustomize"
)

// inCluster is a client that returns the ConfigMaps and Secrets that exist so far: those created and those rendered.
type inCluster struct {
	client.Client
	objects map[string]map[string]any
	// lenient returns an empty object for a missing one, which was reported before.
	lenient bool
}

func newInCluster(created []map[string]any) inCluster {
	c := inCluster{objects: map[string]map[string]any{}}
	for _, each := range created {
		c.add(each)
	}
	return c
}

func (c inCluster) withoutMissing() inCluster {
	c.lenient = true
	return c
}

func (c inCluster) add(object map[string]any) {
	u := unstructured.Unstructured{Object: object}
	if u.GetAPIVersion() == "v1" && (u.GetKind() == "ConfigMap" || u.GetKind() == "Secret") {
		c.objects[u.GetKind()+"/"+u.GetNamespace()+"/"+u.GetName()] = object
	}
}

// variables returns the variables that a Kustomization substitutes. Its own take precedence over those that it reads.
func (c inCluster) variables(kustomization unstructured.Unstructured) (map[string]string, error) {
	all, err := generator.LoadVariables(context.Background(), c, kustomization)
	if err != nil {
		return map[string]string{}, err
	}
	own, _, err := unstructured.NestedStringMap(kustomization.Object, "spec", "postBuild", "substitute")
	for name, value := range own {
		all[name] = strings.ReplaceAll(value, "\n", "")
	}
	return all, err
}

// Get is the only method that Flux's library calls.
func (c inCluster) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	kind := "ConfigMap"
	if _, isSecret := into.(*corev1.Secret); isSecret {
		kind = "Secret"
	}
	object, known := c.objects[kind+"/"+key.Namespace+"/"+key.Name]
	if !known {
		if c.lenient {
			return nil
		}
		return errors.NewNotFound(schema.GroupResource{Resource: strings.ToLower(kind) + "s"}, key.Name)
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object, into); err != nil {
		return err
	}
	if secret, isSecret := into.(*corev1.Secret); isSecret {
		readable(secret)
	}
	return nil
}

// readable copies stringData to data, as the API server does.
func readable(secret *corev1.Secret) {
	if secret.Data == nil {
		secret.Data = map[string][]byte{}
	}
	for key, value := range secret.StringData {
		secret.Data[key] = []byte(value)
	}
}
