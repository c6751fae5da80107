package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// renderRequest is a request for the objects that Flux would apply to a cluster.
type renderRequest struct {
	// Checkout is the root of the repository's checkout.
	Checkout string `json:"checkout"`
	// Root is the Kustomization that the FluxInstance's sync creates.
	Root map[string]any `json:"root"`
	// Patches are the FluxInstance's patches, which apply to Root.
	Patches []map[string]any `json:"patches"`
	// Created are the ConfigMaps and Secrets that exist before Flux starts.
	Created []map[string]any `json:"created"`
}

type renderAnswer struct {
	Kustomizations []kustomization `json:"kustomizations"`
	Objects        []rendered      `json:"objects"`
	Problems       []problem       `json:"problems"`
}

// kustomization is a rendered Flux Kustomization.
type kustomization struct {
	Name string `json:"name"`
	// File contains it. Empty for the root.
	File   string         `json:"file"`
	Object map[string]any `json:"object"`
}

// rendered is an object as Flux would apply it.
type rendered struct {
	// Kustomization that applies it, in the form namespace/name.
	Kustomization string `json:"kustomization"`
	// File that it comes from, relative to the checkout.
	File string `json:"file"`
	// Encrypted is true if SOPS encrypts its values, which are placeholders here.
	Encrypted bool           `json:"encrypted,omitempty"`
	Object    map[string]any `json:"object"`
}

// problem prevents Flux from applying an object, or makes it apply something that nobody meant.
type problem struct {
	Kustomization string `json:"kustomization"`
	File          string `json:"file"`
	// Near is a text in the file that locates the problem. Empty if the whole file has it.
	Near    string `json:"near,omitempty"`
	Message string `json:"message"`
	Advice  string `json:"advice"`
}

// walk follows a cluster's Kustomizations from the root.
type walk struct {
	root    string
	cluster inCluster
	queue   []kustomization
	seen    map[string]bool
	answer  renderAnswer
}

// render renders the root Kustomization and every one that it creates.
func render(request renderRequest) (renderAnswer, error) {
	if err := wholeNumbers(append(append(request.Created, request.Patches...), request.Root)...); err != nil {
		return renderAnswer{}, err
	}
	root, err := copyTree(request)
	if err != nil {
		return renderAnswer{}, err
	}
	defer os.RemoveAll(root)
	first, err := patched(request.Root, request.Patches)
	if err != nil {
		return renderAnswer{}, fmt.Errorf("the FluxInstance's patches: %w", err)
	}
	w := &walk{root: root, cluster: newInCluster(request.Created), seen: map[string]bool{}}
	w.answer = renderAnswer{[]kustomization{}, []rendered{}, []problem{}}
	w.found(first, "")
	for len(w.queue) > 0 {
		w.visit(w.next())
	}
	return w.answer, nil
}

// copyTree copies the tree's top folder, because Flux's library writes to it.
func copyTree(request renderRequest) (string, error) {
	path, _, _ := unstructured.NestedString(request.Root, "spec", "path")
	top, _, _ := strings.Cut(filepath.ToSlash(filepath.Clean(path)), "/")
	root, err := os.MkdirTemp("", "hearth-tree-")
	if err != nil {
		return "", err
	}
	if root, err = filepath.EvalSymlinks(root); err != nil {
		return "", err
	}
	from := filepath.Join(request.Checkout, top)
	if err := os.CopyFS(filepath.Join(root, top), os.DirFS(from)); err != nil {
		return "", errors.Join(fmt.Errorf("copying %s: %w", from, err), os.RemoveAll(root))
	}
	return root, nil
}

// found queues a Kustomization unless it is known. A check reports duplicates.
func (w *walk) found(object map[string]any, file string) {
	u := unstructured.Unstructured{Object: object}
	name := u.GetNamespace() + "/" + u.GetName()
	if w.seen[name] {
		return
	}
	w.seen[name] = true
	w.queue = append(w.queue, kustomization{name, file, object})
}

// next removes the first Kustomization whose variables all exist, or else the first one, from the queue.
func (w *walk) next() kustomization {
	index := max(0, slices.IndexFunc(w.queue, func(k kustomization) bool {
		_, err := w.cluster.variables(unstructured.Unstructured{Object: k.Object})
		return err == nil
	}))
	k := w.queue[index]
	w.queue = slices.Delete(w.queue, index, index+1)
	return k
}

func (w *walk) visit(k kustomization) {
	w.answer.Kustomizations = append(w.answer.Kustomizations, k)
	built := build{root: w.root, kustomization: k, cluster: w.cluster}
	objects, problems := built.run()
	w.answer.Objects = append(w.answer.Objects, objects...)
	w.answer.Problems = append(w.answer.Problems, problems...)
	for _, each := range objects {
		w.cluster.add(each.Object)
		u := unstructured.Unstructured{Object: each.Object}
		if u.GetKind() == "Kustomization" && strings.HasPrefix(u.GetAPIVersion(), "kustomize.toolkit.fluxcd.io/") {
			w.found(each.Object, each.File)
		}
	}
}
