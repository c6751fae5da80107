package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

func newReader(raw []byte) *bufio.Reader { return bufio.NewReader(bytes.NewReader(raw)) }

// openAPI is the part of a Kubernetes OpenAPI 3 document that describes its kinds.
type openAPI struct {
	Paths      map[string]map[string]json.RawMessage `json:"paths"`
	Components struct {
		Schemas map[string]map[string]any `json:"schemas"`
	} `json:"components"`
}

type gvk struct {
	Group   string `json:"group"`
	Version string `json:"version"`
	Kind    string `json:"kind"`
}

const kindExtension = "x-kubernetes-group-version-kind"

// kubernetes adds the kinds of Kubernetes itself.
func (i *indexer) kubernetes(project projectFolder) error {
	for _, folder := range project.Paths {
		files, err := filepath.Glob(filepath.Join(folder, "api*__v*_openapi.json"))
		if err != nil {
			return err
		}
		if len(files) == 0 {
			return fmt.Errorf("%s holds no OpenAPI documents", folder)
		}
		for _, file := range files {
			if err := i.openAPI(project.Name, file); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
	}
	return nil
}

func (i *indexer) openAPI(source, file string) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var document openAPI
	if err := json.Unmarshal(raw, &document); err != nil {
		return err
	}
	scopes := document.scopes()
	for _, definition := range document.Components.Schemas {
		for _, kind := range kindsOf(definition) {
			namespaced, isResource := scopes[kind]
			if !isResource {
				continue
			}
			whole, err := json.Marshal(document.inline(definition, nil))
			if err != nil {
				return err
			}
			known := kindSchema{Source: source, Namespaced: namespaced}
			if err := json.Unmarshal(whole, &known.Schema); err != nil {
				return fmt.Errorf("%s: %w", kind.Kind, err)
			}
			if err := i.write(source, schema.GroupVersionKind(kind), known); err != nil {
				return err
			}
		}
	}
	return nil
}

// scopes returns the kinds that can be created, and whether they are namespaced.
func (d openAPI) scopes() map[gvk]bool {
	scopes := map[gvk]bool{}
	for path, methods := range d.Paths {
		var operation struct {
			Kind gvk `json:"x-kubernetes-group-version-kind"`
		}
		if raw, creates := methods["post"]; !creates || json.Unmarshal(raw, &operation) != nil {
			continue
		}
		scopes[operation.Kind] = scopes[operation.Kind] || strings.Contains(path, "/namespaces/{namespace}/")
	}
	return scopes
}

func kindsOf(definition map[string]any) []gvk {
	var kinds []gvk
	raw, _ := json.Marshal(definition[kindExtension])
	_ = json.Unmarshal(raw, &kinds)
	return kinds
}

// Quantities are numbers or strings such as 250m. Source: k8s.io/apimachinery, pkg/api/resource, the grammar of a Quantity.
const quantityPattern = `^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$`

// inline returns a schema without references, in the form of a CustomResourceDefinition's. within lists the enclosing
// references: one that refers back to itself becomes an object with any fields.
func (d openAPI) inline(definition map[string]any, within []string) map[string]any {
	if reference := referenceOf(definition); reference != "" {
		for _, outer := range within {
			if outer == reference {
				return map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}
			}
		}
		return d.inline(d.Components.Schemas[reference], append(within, reference))
	}
	if definition["format"] == "int-or-string" {
		return map[string]any{"x-kubernetes-int-or-string": true}
	}
	if _, isEither := definition["oneOf"]; isEither {
		return map[string]any{"anyOf": []any{
			map[string]any{"type": "number"}, map[string]any{"type": "string", "pattern": quantityPattern},
		}}
	}
	plain := map[string]any{}
	for key, value := range definition {
		switch key {
		case "properties":
			properties := map[string]any{}
			for name, each := range value.(map[string]any) {
				properties[name] = d.inline(each.(map[string]any), within)
			}
			plain[key] = properties
		case "items", "additionalProperties":
			if inner, isSchema := value.(map[string]any); isSchema {
				plain[key] = d.inline(inner, within)
			}
		case "type", "format", "required", "enum", "nullable", "pattern", "minimum", "maximum":
			plain[key] = value
		}
	}
	if len(plain) == 0 || isOpen(plain) {
		plain["x-kubernetes-preserve-unknown-fields"] = true
	}
	return plain
}

// isOpen returns whether a schema describes an object without any fields, such as a RawExtension.
func isOpen(definition map[string]any) bool {
	return definition["type"] == "object" && definition["properties"] == nil && definition["additionalProperties"] == nil
}

func referenceOf(definition map[string]any) string {
	reference, _ := definition["$ref"].(string)
	if all, isOne := definition["allOf"].([]any); isOne && len(all) == 1 {
		reference, _ = all[0].(map[string]any)["$ref"].(string)
	}
	return strings.TrimPrefix(reference, "#/components/schemas/")
}
