package pods

import (
	"context"
	"fmt"
	"math"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// variables are a container's environment variables in order. A later one overrides an earlier one of the same name.
type variables struct {
	names  []string
	values map[string]string
}

func (v *variables) set(name, value string) {
	if _, known := v.values[name]; !known {
		v.names = append(v.names, name)
	}
	v.values[name] = value
}

// list returns the variables as NAME=value.
func (v *variables) list() []string {
	all := make([]string, 0, len(v.names))
	for _, name := range v.names {
		all = append(all, name+"="+v.values[name])
	}
	return all
}

// environment resolves a container's env and envFrom. The pod's status must have its address.
func environment(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod, node *corev1.Node, container *corev1.Container) (*variables, error) {
	env := &variables{values: map[string]string{}}
	for _, source := range container.EnvFrom {
		data, err := envSource(ctx, client, pod.Namespace, source)
		if err != nil {
			return nil, err
		}
		for key, value := range data {
			env.set(source.Prefix+key, value)
		}
	}
	for _, variable := range container.Env {
		value := expanded(variable.Value, env.values)
		if variable.ValueFrom != nil {
			var ok bool
			var err error
			if value, ok, err = envValue(ctx, client, pod, node, container, variable.ValueFrom); err != nil {
				return nil, fmt.Errorf("env %s: %w", variable.Name, err)
			}
			if !ok {
				continue
			}
		}
		env.set(variable.Name, value)
	}
	return env, nil
}

func envSource(ctx context.Context, client kubernetes.Interface, namespace string, source corev1.EnvFromSource) (map[string]string, error) {
	if ref := source.ConfigMapRef; ref != nil {
		files, err := configMapFiles(ctx, client, namespace, ref.Name, optional(ref.Optional))
		return asText(files), err
	}
	if ref := source.SecretRef; ref != nil {
		files, err := secretFiles(ctx, client, namespace, ref.Name, optional(ref.Optional))
		return asText(files), err
	}
	return nil, nil
}

// envValue returns false if an optional reference does not exist.
func envValue(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod, node *corev1.Node, container *corev1.Container, from *corev1.EnvVarSource) (string, bool, error) {
	switch {
	case from.FieldRef != nil:
		value, err := fieldValue(pod, from.FieldRef.FieldPath)
		return value, true, err
	case from.ResourceFieldRef != nil:
		value, err := resourceValue(pod, node, container, from.ResourceFieldRef)
		return value, true, err
	case from.ConfigMapKeyRef != nil:
		ref := from.ConfigMapKeyRef
		files, err := configMapFiles(ctx, client, pod.Namespace, ref.Name, optional(ref.Optional))
		return keyOf(files, err, "ConfigMap", ref.Name, ref.Key, optional(ref.Optional))
	case from.SecretKeyRef != nil:
		ref := from.SecretKeyRef
		files, err := secretFiles(ctx, client, pod.Namespace, ref.Name, optional(ref.Optional))
		return keyOf(files, err, "Secret", ref.Name, ref.Key, optional(ref.Optional))
	}
	return "", false, fmt.Errorf("the lab does not know this kind of valueFrom")
}

func keyOf(files map[string][]byte, err error, kind, name, key string, isOptional bool) (string, bool, error) {
	if err != nil {
		return "", false, err
	}
	value, ok := files[key]
	if !ok && !isOptional {
		return "", false, fmt.Errorf("couldn't find key %s in %s %s", key, kind, name)
	}
	return string(value), ok, nil
}

// fieldValue returns the downward API's value of a pod's field.
func fieldValue(pod *corev1.Pod, path string) (string, error) {
	if name, key, ok := strings.Cut(path, "['"); ok {
		key = strings.TrimSuffix(key, "']")
		switch name {
		case "metadata.labels":
			return pod.Labels[key], nil
		case "metadata.annotations":
			return pod.Annotations[key], nil
		}
	}
	switch path {
	case "metadata.name":
		return pod.Name, nil
	case "metadata.namespace":
		return pod.Namespace, nil
	case "metadata.uid":
		return string(pod.UID), nil
	case "spec.nodeName":
		return pod.Spec.NodeName, nil
	case "spec.serviceAccountName":
		return pod.Spec.ServiceAccountName, nil
	case "status.hostIP", "status.hostIPs":
		return pod.Status.HostIP, nil
	case "status.podIP", "status.podIPs":
		return pod.Status.PodIP, nil
	}
	return "", fmt.Errorf("fieldPath %q is not supported", path)
}

// resourceValue returns a container's limit or request in units of the divisor, rounded up. The default of a limit is
// the node's capacity.
func resourceValue(pod *corev1.Pod, node *corev1.Node, container *corev1.Container, ref *corev1.ResourceFieldSelector) (string, error) {
	if ref.ContainerName != "" {
		for i := range pod.Spec.Containers {
			if pod.Spec.Containers[i].Name == ref.ContainerName {
				container = &pod.Spec.Containers[i]
			}
		}
	}
	kind, name, _ := strings.Cut(ref.Resource, ".")
	list := container.Resources.Limits
	if kind == "requests" {
		list = container.Resources.Requests
	} else if kind != "limits" {
		return "", fmt.Errorf("resource %q is not supported", ref.Resource)
	}
	quantity, ok := list[corev1.ResourceName(name)]
	if !ok && kind == "limits" && node != nil {
		quantity = node.Status.Allocatable[corev1.ResourceName(name)]
	}
	divisor := ref.Divisor
	if divisor.IsZero() {
		divisor = resource.MustParse("1")
	}
	return fmt.Sprint(int64(math.Ceil(quantity.AsApproximateFloat64() / divisor.AsApproximateFloat64()))), nil
}

// expanded replaces $(NAME) by the variable's value and $$ by a dollar. It does not change an unknown name.
func expanded(text string, values map[string]string) string {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '$' || i+1 == len(text) {
			out.WriteByte(text[i])
			continue
		}
		if text[i+1] == '$' {
			out.WriteByte('$')
			i++
			continue
		}
		if end := strings.IndexByte(text[i:], ')'); text[i+1] == '(' && end > 0 {
			if value, ok := values[text[i+2:i+end]]; ok {
				out.WriteString(value)
				i += end
				continue
			}
		}
		out.WriteByte('$')
	}
	return out.String()
}

func optional(flag *bool) bool { return flag != nil && *flag }

func asText(files map[string][]byte) map[string]string {
	text := map[string]string{}
	for key, value := range files {
		text[key] = string(value)
	}
	return text
}

// configMapFiles returns a ConfigMap's entries, none if it is optional and missing.
func configMapFiles(ctx context.Context, client kubernetes.Interface, namespace, name string, isOptional bool) (map[string][]byte, error) {
	found, err := client.CoreV1().ConfigMaps(namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) && isOptional {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for key, value := range found.Data {
		files[key] = []byte(value)
	}
	for key, value := range found.BinaryData {
		files[key] = value
	}
	return files, nil
}

// secretFiles returns a Secret's entries, none if it is optional and missing.
func secretFiles(ctx context.Context, client kubernetes.Interface, namespace, name string, isOptional bool) (map[string][]byte, error) {
	found, err := client.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) && isOptional {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return found.Data, nil
}
