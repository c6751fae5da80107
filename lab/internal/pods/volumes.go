package pods

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// volumes manages the folders of a pod's volumes.
type volumes struct {
	client kubernetes.Interface
	// storage holds the volumes of claims. It is nil if they hold no data.
	storage *storage
	// root is the pod's folder.
	root string
	// mounted maps volume names to the folders of claims. The storage owns them, and they outlive the pod.
	mounted map[string]string
	// renewals maps token files to the time at which the token is renewed.
	renewals map[string]time.Time
}

// materialise creates the folders and updates their content. It is called repeatedly while the pod lives.
func (v *volumes) materialise(ctx context.Context, pod *corev1.Pod) error {
	for i := range pod.Spec.Volumes {
		volume := &pod.Spec.Volumes[i]
		if volume.PersistentVolumeClaim != nil && v.storage != nil {
			if err := v.mount(ctx, pod, volume); err != nil {
				return err
			}
			continue
		}
		folder := v.folder(volume.Name)
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return err
		}
		if err := v.fill(ctx, pod, folder, volume); err != nil {
			return fmt.Errorf("MountVolume.SetUp failed for volume %q: %w", volume.Name, err)
		}
	}
	return nil
}

// mount finds the folder of a claim once. A mounted volume does not change.
func (v *volumes) mount(ctx context.Context, pod *corev1.Pod, volume *corev1.Volume) error {
	if v.mounted[volume.Name] != "" {
		return nil
	}
	folder, err := v.storage.mounted(ctx, pod, volume.PersistentVolumeClaim.ClaimName)
	if missing := (*imageMissing)(nil); errors.As(err, &missing) || errors.Is(err, errAttaching) {
		return err
	}
	if err != nil {
		return fmt.Errorf("MountVolume.SetUp failed for volume %q: %w", volume.Name, err)
	}
	v.mounted[volume.Name] = folder
	return nil
}

func (v *volumes) folder(name string) string {
	if mounted := v.mounted[name]; mounted != "" {
		return mounted
	}
	return filepath.Join(v.root, "volumes", name)
}

func (v *volumes) fill(ctx context.Context, pod *corev1.Pod, folder string, volume *corev1.Volume) error {
	switch {
	case volume.EmptyDir != nil:
		return nil
	case volume.ConfigMap != nil:
		source := volume.ConfigMap
		files, err := configMapFiles(ctx, v.client, pod.Namespace, source.Name, optional(source.Optional))
		return place(folder, files, err, source.Items, optional(source.Optional))
	case volume.Secret != nil:
		source := volume.Secret
		files, err := secretFiles(ctx, v.client, pod.Namespace, source.SecretName, optional(source.Optional))
		return place(folder, files, err, source.Items, optional(source.Optional))
	case volume.DownwardAPI != nil:
		return downward(pod, folder, volume.DownwardAPI.Items)
	case volume.Projected != nil:
		for _, source := range volume.Projected.Sources {
			if err := v.project(ctx, pod, folder, source); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("the lab's runner has emptyDir, configMap, secret, downwardAPI and projected volumes only")
}

func (v *volumes) project(ctx context.Context, pod *corev1.Pod, folder string, source corev1.VolumeProjection) error {
	switch {
	case source.ServiceAccountToken != nil:
		return v.token(ctx, pod, folder, source.ServiceAccountToken)
	case source.ConfigMap != nil:
		files, err := configMapFiles(ctx, v.client, pod.Namespace, source.ConfigMap.Name, optional(source.ConfigMap.Optional))
		return place(folder, files, err, source.ConfigMap.Items, optional(source.ConfigMap.Optional))
	case source.Secret != nil:
		files, err := secretFiles(ctx, v.client, pod.Namespace, source.Secret.Name, optional(source.Secret.Optional))
		return place(folder, files, err, source.Secret.Items, optional(source.Secret.Optional))
	case source.DownwardAPI != nil:
		return downward(pod, folder, source.DownwardAPI.Items)
	}
	return fmt.Errorf("the lab's runner does not know this kind of projection")
}

// token requests a service-account token bound to the pod. It renews the token after four fifths of its lifetime.
func (v *volumes) token(ctx context.Context, pod *corev1.Pod, folder string, source *corev1.ServiceAccountTokenProjection) error {
	file := filepath.Join(folder, source.Path)
	if time.Now().Before(v.renewals[file]) {
		return nil
	}
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		ExpirationSeconds: source.ExpirationSeconds,
		BoundObjectRef:    &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID},
	}}
	if source.Audience != "" {
		request.Spec.Audiences = []string{source.Audience}
	}
	asked := time.Now()
	answer, err := v.client.CoreV1().ServiceAccounts(pod.Namespace).CreateToken(ctx, pod.Spec.ServiceAccountName, request, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("asking for a token of service account %s: %w", pod.Spec.ServiceAccountName, err)
	}
	if err := replace(file, []byte(answer.Status.Token)); err != nil {
		return err
	}
	v.renewals[file] = asked.Add(answer.Status.ExpirationTimestamp.Sub(asked) * 4 / 5)
	return nil
}

func downward(pod *corev1.Pod, folder string, items []corev1.DownwardAPIVolumeFile) error {
	for _, item := range items {
		if item.FieldRef == nil {
			return fmt.Errorf("downwardAPI %s: only fieldRef is supported", item.Path)
		}
		value, err := fieldValue(pod, item.FieldRef.FieldPath)
		if err != nil {
			return err
		}
		if err := replace(filepath.Join(folder, item.Path), []byte(value)); err != nil {
			return err
		}
	}
	return nil
}

// place writes entries as files: all of them, or those that items name, at the items' paths.
func place(folder string, files map[string][]byte, err error, items []corev1.KeyToPath, isOptional bool) error {
	if err != nil {
		return err
	}
	if len(items) == 0 {
		for key := range files {
			items = append(items, corev1.KeyToPath{Key: key, Path: key})
		}
	}
	for _, item := range items {
		content, ok := files[item.Key]
		if !ok {
			if isOptional {
				continue
			}
			return fmt.Errorf("references non-existent key: %s", item.Key)
		}
		if err := replace(filepath.Join(folder, item.Path), content); err != nil {
			return err
		}
	}
	return nil
}

// mounts maps a container's mount paths to paths on this computer.
func (v *volumes) mounts(container *corev1.Container, values map[string]string) []mount {
	var all []mount
	for _, m := range container.VolumeMounts {
		sub := m.SubPath
		if m.SubPathExpr != "" {
			sub = expanded(m.SubPathExpr, values)
		}
		all = append(all, mount{strings.TrimSuffix(m.MountPath, "/"), filepath.Join(v.folder(m.Name), sub)})
	}
	return all
}
