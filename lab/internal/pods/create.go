package pods

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"
)

// creation is what the lab puts into the cluster before Flux is there, because the charts that would bring it cannot be had
// here: definitions, and policies that keep Flux from waiting for what cannot come. `npm run lab` writes it; see lab/tree.ts.
type creation struct {
	// Definitions are files, and folders of files, that hold CustomResourceDefinitions.
	Definitions []string `json:"definitions"`
	// Kinds are those of which the definition is wanted, as group/kind.
	Kinds []string `json:"kinds"`
	// Policies are MutatingAdmissionPolicies and what binds them.
	Policies []map[string]any `json:"policies"`
}

// createdResources are the resources of all that is created, by kind.
var createdResources = map[string]schema.GroupVersionResource{
	"CustomResourceDefinition":       definitions,
	"MutatingAdmissionPolicy":        {Group: "admissionregistration.k8s.io", Version: "v1", Resource: "mutatingadmissionpolicies"},
	"MutatingAdmissionPolicyBinding": {Group: "admissionregistration.k8s.io", Version: "v1", Resource: "mutatingadmissionpolicybindings"},
}

// create keeps the cluster at what created.json says, until ctx ends.
func (r *runner) create(ctx context.Context) error {
	client, err := dynamic.NewForConfig(r.config)
	if err != nil {
		return err
	}
	var done []byte
	for {
		raw, err := os.ReadFile(r.lab.Path("created.json"))
		if err == nil && !bytes.Equal(raw, done) {
			if err = createAll(ctx, client, raw); err == nil {
				done = raw
			}
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) && ctx.Err() == nil {
			log.Printf("pods: creating: %v", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}

func createAll(ctx context.Context, client dynamic.Interface, raw []byte) error {
	var wanted creation
	if err := json.Unmarshal(raw, &wanted); err != nil {
		return err
	}
	objects, err := wanted.definitions()
	if err != nil {
		return err
	}
	for _, policy := range wanted.Policies {
		objects = append(objects, &unstructured.Unstructured{Object: policy})
	}
	for _, object := range objects {
		resource, known := createdResources[object.GetKind()]
		if !known {
			return fmt.Errorf("%s %s is nothing that the lab creates", object.GetKind(), object.GetName())
		}
		options := metav1.ApplyOptions{FieldManager: "hearth-lab", Force: true}
		if _, err := client.Resource(resource).Apply(ctx, object.GetName(), object, options); err != nil {
			return fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err)
		}
	}
	log.Printf("pods: created %d objects", len(objects))
	return nil
}

// definitions are those of the kinds that are wanted.
func (p creation) definitions() ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	for _, path := range p.Definitions {
		err := filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !(strings.HasSuffix(file, ".yaml") || strings.HasSuffix(file, ".yml")) {
				return err
			}
			found, err := p.definitionsIn(file)
			all = append(all, found...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (p creation) definitionsIn(file string) ([]*unstructured.Unstructured, error) {
	reader, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	documents := utilyaml.NewYAMLReader(bufio.NewReader(reader))
	var found []*unstructured.Unstructured
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		// Parsing is slow, and most files hold much that nobody asked for.
		if !bytes.Contains(document, []byte("kind: CustomResourceDefinition")) || !p.mayHold(document) {
			continue
		}
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(document, &object.Object); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		group, _, _ := unstructured.NestedString(object.Object, "spec", "group")
		kind, _, _ := unstructured.NestedString(object.Object, "spec", "names", "kind")
		if slices.Contains(p.Kinds, group+"/"+kind) {
			unstructured.RemoveNestedField(object.Object, "status")
			found = append(found, object)
		}
	}
}

func (p creation) mayHold(document []byte) bool {
	return slices.ContainsFunc(p.Kinds, func(kind string) bool {
		return bytes.Contains(document, []byte("kind: "+kind[strings.LastIndex(kind, "/")+1:]+"\n"))
	})
}
