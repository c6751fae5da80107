package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/fluxcd/pkg/envsubst"
	generator "github.com/fluxcd/pkg/kustomize"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// build renders one Kustomization in the order of kustomize-controller: generate, build, decrypt, substitute.
// Source: fluxcd/kustomize-controller, internal/controller, KustomizationReconciler.build.
type build struct {
	root string
	kustomization
	cluster  inCluster
	problems []problem
}

func (b *build) run() ([]rendered, []problem) {
	u := unstructured.Unstructured{Object: runtime.DeepCopyJSON(b.Object)}
	path, _, _ := unstructured.NestedString(u.Object, "spec", "path")
	folder := filepath.Join(b.root, filepath.Clean("/"+path))
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		b.fail(b.File, path, fmt.Sprintf("spec.path %s is no folder of the repository", path), "write the folder that contains its manifests")
		return nil, b.problems
	}
	resources, err := b.resources(u, folder)
	if err != nil {
		file := filepath.Join(filepath.Clean("/" + path)[1:], "kustomization.yaml")
		b.fail(file, "", plain(err, b.root), "fix what kustomize reports")
		return nil, b.problems
	}
	variables, err := b.cluster.variables(u)
	if err != nil {
		b.fail(b.File, "substituteFrom", err.Error(), "create it, let an earlier Kustomization bring it, or make it optional")
	}
	objects := []rendered{}
	for _, each := range resources {
		if object, ok := b.object(u, folder, each, variables); ok {
			objects = append(objects, object)
		}
	}
	return objects, b.problems
}

// plain shortens an error of kustomize: it removes temporary paths and failed attempts.
func plain(err error, root string) string {
	text := strings.ReplaceAll(err.Error(), root+"/", "")
	text, _, _ = strings.Cut(text, ": failed to run ")
	return strings.Join(strings.Fields(text), " ")
}

func (b *build) fail(file, near, message, advice string) {
	b.problems = append(b.problems, problem{b.Name, file, near, message, advice})
}

// resources builds the folder with kustomize. Each resource has its origin.
func (b *build) resources(u unstructured.Unstructured, folder string) ([]*resource.Resource, error) {
	if err := unstructured.SetNestedStringSlice(u.Object, []string{"originAnnotations"}, "spec", "buildMetadata"); err != nil {
		return nil, err
	}
	action, err := generator.NewGenerator(b.root, u).WriteFile(folder, generator.WithSaveOriginalKustomization())
	if err != nil {
		return nil, err
	}
	defer generator.CleanDirectory(folder, action)
	built, err := kustomized(b.root, folder)
	if err != nil {
		return nil, err
	}
	return built.Resources(), nil
}

func (b *build) object(u unstructured.Unstructured, folder string, res *resource.Resource, variables map[string]string) (rendered, bool) {
	file := b.origin(folder, res)
	whole, err := res.Map()
	if err != nil {
		b.fail(file, "", err.Error(), "fix it")
		return rendered{}, false
	}
	encrypted := conceal(whole)
	if encrypted {
		raw, _ := json.Marshal(whole)
		if err := res.UnmarshalJSON(raw); err != nil {
			b.fail(file, "", err.Error(), "encrypt it again")
			return rendered{}, false
		}
	}
	if _, substitutes, _ := unstructured.NestedMap(u.Object, "spec", "postBuild"); substitutes && b.substituted(file, res, variables) {
		if _, err := generator.SubstituteVariables(context.Background(), b.cluster.withoutMissing(), u, res); err != nil {
			b.fail(file, "${", strings.ReplaceAll(err.Error(), "\n", " "), "fix it, or write $${…} for text that must not be substituted")
			return rendered{}, false
		}
	}
	if whole, err = res.Map(); err != nil {
		b.fail(file, "", err.Error(), "fix it")
		return rendered{}, false
	}
	return rendered{b.Name, file, encrypted, whole}, true
}

// origin returns the file that a resource comes from, and removes it from the resource.
func (b *build) origin(folder string, res *resource.Resource) string {
	parent, _ := filepath.Rel(b.root, folder)
	file := "kustomization.yaml"
	if origin, err := res.GetOrigin(); err == nil && origin != nil {
		file = origin.Path
		if file == "" {
			file = origin.ConfiguredIn
		}
		_ = res.SetOrigin(nil)
	}
	return filepath.Join(parent, file)
}

var notSet = regexp.MustCompile(`variable not set \(strict mode\): "(.*)"`)

// substituted reports every variable without a value or a default, for which Flux would substitute an empty string. It returns
// whether Flux substitutes variables in this resource.
func (b *build) substituted(file string, res *resource.Resource, variables map[string]string) bool {
	const key = "kustomize.toolkit.fluxcd.io/substitute"
	if res.GetLabels()[key] == generator.DisabledValue || res.GetAnnotations()[key] == generator.DisabledValue {
		return false
	}
	text, err := res.AsYAML()
	if err != nil {
		return false
	}
	for missing := []string{}; ; {
		_, err := envsubst.Eval(string(text), func(name string) (string, bool) {
			value, known := variables[name]
			return value, known || slices.Contains(missing, name)
		})
		match := []string(nil)
		if err != nil {
			match = notSet.FindStringSubmatch(err.Error())
		}
		if match == nil {
			return true
		}
		missing = append(missing, match[1])
		b.fail(file, "${"+match[1], fmt.Sprintf("nothing gives the variable ${%s} a value", match[1]),
			"give it one or a default, as ${"+match[1]+":=default}, or write $${"+match[1]+"} for text that must not be substituted")
	}
}

// patched applies patches to an object, as the flux-operator applies those of a FluxInstance.
func patched(object map[string]any, patches []map[string]any) (map[string]any, error) {
	files := filesys.MakeFsInMemory()
	whole, err := yaml.Marshal(object)
	if err != nil {
		return nil, err
	}
	plan, err := yaml.Marshal(map[string]any{
		"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization",
		"resources": []string{"object.yaml"}, "patches": patches,
	})
	if err != nil {
		return nil, err
	}
	if err := files.WriteFile("/object.yaml", whole); err != nil {
		return nil, err
	}
	if err := files.WriteFile("/kustomization.yaml", plan); err != nil {
		return nil, err
	}
	built, err := generator.Build(files, "/")
	if err != nil {
		return nil, err
	}
	return built.Resources()[0].Map()
}
