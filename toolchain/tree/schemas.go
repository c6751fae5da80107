package main

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// kindSchema is what the API server knows of a kind.
type kindSchema struct {
	// Source is the project and version that the schema comes from.
	Source string `json:"source"`
	// Namespaced is true if objects of the kind are in namespaces.
	Namespaced bool                            `json:"namespaced"`
	Schema     apiextensionsv1.JSONSchemaProps `json:"schema"`
}

// indexRequest is a request for a file of all schemas by kind, so that a check reads only those that it needs.
type indexRequest struct {
	// Kubernetes is the folder of Kubernetes' OpenAPI documents, and its version.
	Kubernetes projectFolder `json:"kubernetes"`
	// Projects are the files and folders of CustomResourceDefinitions.
	Projects []projectFolder `json:"projects"`
	// Out is the file to write.
	Out string `json:"out"`
}

type projectFolder struct {
	Name string `json:"name"`
	// Paths are files, or folders of files.
	Paths []string `json:"paths"`
}

type indexAnswer struct {
	// Kinds by the project that defines them, in the form group/version/kind.
	Kinds map[string][]string `json:"kinds"`
}

func index(request indexRequest) (indexAnswer, error) {
	file, err := os.Create(request.Out)
	if err != nil {
		return indexAnswer{}, err
	}
	defer file.Close()
	i := indexer{zip.NewWriter(file), map[string]bool{}, indexAnswer{map[string][]string{}}}
	if err := i.kubernetes(request.Kubernetes); err != nil {
		return indexAnswer{}, err
	}
	for _, project := range request.Projects {
		if err := i.definitions(project); err != nil {
			return indexAnswer{}, fmt.Errorf("%s: %w", project.Name, err)
		}
	}
	return i.answer, i.archive.Close()
}

type indexer struct {
	archive *zip.Writer
	written map[string]bool
	answer  indexAnswer
}

func entryName(kind schema.GroupVersionKind) string {
	// A path may not begin with a slash.
	return cmp.Or(kind.Group, "core") + "/" + kind.Version + "/" + kind.Kind
}

// write adds a kind. If several projects define it, the first one is used.
func (i *indexer) write(project string, kind schema.GroupVersionKind, known kindSchema) error {
	name := entryName(kind)
	if i.written[name] {
		return nil
	}
	i.written[name] = true
	i.answer.Kinds[project] = append(i.answer.Kinds[project], name)
	entry, err := i.archive.Create(name)
	if err != nil {
		return err
	}
	return json.NewEncoder(entry).Encode(known)
}

func (i *indexer) definitions(project projectFolder) error {
	for _, path := range project.Paths {
		err := filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !(strings.HasSuffix(file, ".yaml") || strings.HasSuffix(file, ".yml")) {
				return err
			}
			raw, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			if err := i.definitionsOf(project.Name, raw); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (i *indexer) definitionsOf(project string, raw []byte) error {
	documents := utilyaml.NewYAMLReader(newReader(raw))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if !bytes.Contains(document, []byte("kind: CustomResourceDefinition")) {
			continue
		}
		var definition apiextensionsv1.CustomResourceDefinition
		if err := yaml.Unmarshal(document, &definition); err != nil {
			return err
		}
		if definition.Kind != "CustomResourceDefinition" {
			continue
		}
		for kind, known := range schemasOf(project, definition) {
			if err := i.write(project, kind, known); err != nil {
				return err
			}
		}
	}
}

// schemasOf returns the kinds of a definition, one for each served version.
func schemasOf(source string, definition apiextensionsv1.CustomResourceDefinition) map[schema.GroupVersionKind]kindSchema {
	kinds := map[schema.GroupVersionKind]kindSchema{}
	for _, version := range definition.Spec.Versions {
		if !version.Served || version.Schema == nil || version.Schema.OpenAPIV3Schema == nil {
			continue
		}
		kind := schema.GroupVersionKind{Group: definition.Spec.Group, Version: version.Name, Kind: definition.Spec.Names.Kind}
		kinds[kind] = kindSchema{source, definition.Spec.Scope == apiextensionsv1.NamespaceScoped, *version.Schema.OpenAPIV3Schema}
	}
	return kinds
}
