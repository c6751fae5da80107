package registry

import (
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

// helpers are the named templates for the generated manifests.
//
//go:embed fluxoperator/_helpers.tpl
var helpers embed.FS

// fluxOperatorChart builds a chart from the install manifests in flux-operator's module, because the repository of the
// public chart is not a Go module. The chart has the same name, version, object names and main values.
func fluxOperatorChart(module string) (*chart, error) {
	image, err := fluxOperatorImage(filepath.Join(module, "config", "manager", "kustomization.yaml"))
	if err != nil {
		return nil, err
	}
	named, err := helpers.ReadFile("fluxoperator/_helpers.tpl")
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{"templates/_helpers.tpl": named}
	if err := addInstallTemplates(files, filepath.Join(module, "config"), image); err != nil {
		return nil, err
	}
	if err := addDefinitions(files, filepath.Join(module, "config", "crd", "bases")); err != nil {
		return nil, err
	}
	files["Chart.yaml"], err = yaml.Marshal(map[string]any{
		"apiVersion": "v2", "name": "flux-operator", "type": "application", "kubeVersion": ">=1.22.0-0",
		"version": strings.TrimPrefix(image.Tag, "v"), "appVersion": image.Tag,
		"description": "Flux Operator, packaged from its install manifests",
	})
	if err != nil {
		return nil, err
	}
	return newChart(files)
}

type imageName struct {
	Repository string `json:"newName"`
	Tag        string `json:"newTag"`
}

// fluxOperatorImage is the image in the install manifests.
func fluxOperatorImage(file string) (imageName, error) {
	var kustomization struct {
		Images []imageName `json:"images"`
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return imageName{}, err
	}
	if err := yaml.Unmarshal(raw, &kustomization); err != nil {
		return imageName{}, fmt.Errorf("%s: %w", file, err)
	}
	if len(kustomization.Images) != 1 || kustomization.Images[0].Tag == "" {
		return imageName{}, fmt.Errorf("%s: it should name one image with its tag", file)
	}
	return kustomization.Images[0], nil
}

// addDefinitions adds the custom resource definitions. As in the public chart, `installCRDs` enables them, and they
// stay when the release is uninstalled.
func addDefinitions(files map[string][]byte, folder string) error {
	names, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return fmt.Errorf("%s holds no custom resource definition", folder)
	}
	for _, name := range names {
		definitions, err := documents(name)
		if err != nil {
			return err
		}
		for _, definition := range definitions {
			metadata := metadataOf(definition)
			annotations := asObject(metadata["annotations"])
			if annotations == nil {
				annotations = object{}
			}
			annotations["helm.sh/resource-policy"] = "keep"
			metadata["annotations"] = annotations
			raw, err := yaml.Marshal(definition)
			if err != nil {
				return err
			}
			text := strings.ReplaceAll(string(raw), "{{", `{{ "{{" }}`)
			files["templates/crds/"+filepath.Base(name)] = guarded(".Values.installCRDs", text)
		}
	}
	return nil
}
