package main

import (
	"archive/zip"
	"context"
	"encoding/json"
	"fmt"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	kjson "sigs.k8s.io/json"
)

// checkRequest is a request to validate objects as the API server would.
type checkRequest struct {
	// Schemas is a file that the index subcommand wrote.
	Schemas string           `json:"schemas"`
	Objects []map[string]any `json:"objects"`
}

type checkAnswer struct {
	// Objects are in the order of the request.
	Objects []checkedObject `json:"objects"`
}

type checkedObject struct {
	// Source of the schema. Empty if there is none.
	Source     string       `json:"source,omitempty"`
	Namespaced bool         `json:"namespaced"`
	Errors     []fieldError `json:"errors"`
	// Forbidden is what levels of the Pod Security Standards forbid of its pods.
	Forbidden map[string][]string `json:"forbidden,omitempty"`
}

type fieldError struct {
	// Path of the field, such as spec.ports[0].name.
	Path    string `json:"path"`
	Message string `json:"message"`
}

func check(request checkRequest) (checkAnswer, error) {
	if err := wholeNumbers(request.Objects...); err != nil {
		return checkAnswer{}, err
	}
	archive, err := zip.OpenReader(request.Schemas)
	if err != nil {
		return checkAnswer{}, err
	}
	defer archive.Close()
	c := checker{archive, map[schema.GroupVersionKind]*validator{}}
	if err := c.learn(request.Objects); err != nil {
		return checkAnswer{}, err
	}
	answer := checkAnswer{[]checkedObject{}}
	for _, object := range request.Objects {
		checked, err := c.check(object)
		if err != nil {
			return checkAnswer{}, err
		}
		answer.Objects = append(answer.Objects, checked)
	}
	return answer, nil
}

type checker struct {
	archive *zip.ReadCloser
	known   map[schema.GroupVersionKind]*validator
}

// learn adds the definitions among the objects themselves.
func (c checker) learn(objects []map[string]any) error {
	for _, object := range objects {
		if object["kind"] != "CustomResourceDefinition" {
			continue
		}
		var definition apiextensionsv1.CustomResourceDefinition
		if runtime.DefaultUnstructuredConverter.FromUnstructured(object, &definition) != nil {
			continue
		}
		for kind, known := range schemasOf("the tree", definition) {
			made, err := newValidator(known, kind)
			if err != nil {
				return err
			}
			c.known[kind] = made
		}
	}
	return nil
}

func (c checker) check(object map[string]any) (checkedObject, error) {
	u := unstructured.Unstructured{Object: object}
	kind := u.GroupVersionKind()
	v, seen := c.known[kind]
	if !seen {
		var err error
		if v, err = c.read(kind); err != nil {
			return checkedObject{}, fmt.Errorf("the schema of %s: %w", kind, err)
		}
		c.known[kind] = v
	}
	checked := checkedObject{Errors: metadataErrors(u), Forbidden: forbidden(u)}
	if v == nil {
		return checked, nil
	}
	checked.Source, checked.Namespaced = v.Source, v.Namespaced
	checked.Errors = append(checked.Errors, v.validate(runtime.DeepCopyJSON(object))...)
	return checked, nil
}

// read returns nil for a kind without a definition.
func (c checker) read(kind schema.GroupVersionKind) (*validator, error) {
	file, err := c.archive.Open(entryName(kind))
	if err != nil {
		return nil, nil
	}
	defer file.Close()
	var known kindSchema
	if err := json.NewDecoder(file).Decode(&known); err != nil {
		return nil, err
	}
	return newValidator(known, kind)
}

// validator validates one kind with the API server's own libraries.
type validator struct {
	kindSchema
	structural *structuralschema.Structural
	schema     validation.SchemaValidator
	rules      *cel.Validator
}

func newValidator(known kindSchema, kind schema.GroupVersionKind) (*validator, error) {
	var internal apiextensions.JSONSchemaProps
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(&known.Schema, &internal, nil); err != nil {
		return nil, err
	}
	structural, err := structuralschema.NewStructural(&internal)
	if err != nil {
		return nil, err
	}
	schema, _, err := validation.NewSchemaValidator(&internal)
	if err != nil {
		return nil, err
	}
	return &validator{known, structural, schema, cel.NewValidator(structural, true, celconfig.PerCallLimit)}, nil
}

func (v *validator) validate(object map[string]any) []fieldError {
	errors := []fieldError{}
	unknown := pruning.PruneWithOptions(runtime.DeepCopyJSON(object), v.structural, true,
		structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	for _, path := range unknown {
		errors = append(errors, fieldError{path, "is a field that its kind does not have"})
	}
	defaulting.Default(object, v.structural)
	defaulting.PruneNonNullableNullsWithoutDefaults(object, v.structural)
	problems := validation.ValidateCustomResource(nil, object, v.schema)
	problems = append(problems, listtype.ValidateListSetsAndMaps(nil, v.structural, object)...)
	if v.rules != nil && len(problems) == 0 {
		broken, _ := v.rules.Validate(context.Background(), nil, v.structural, object, nil, celconfig.RuntimeCELCostBudget)
		problems = append(problems, broken...)
	}
	return append(errors, fieldErrors(problems)...)
}

// metadataErrors checks names, labels and annotations, which have the same form in every kind.
func metadataErrors(u unstructured.Unstructured) []fieldError {
	errors := []fieldError{}
	raw, err := json.Marshal(u.Object["metadata"])
	if err != nil {
		return []fieldError{{"metadata", err.Error()}}
	}
	var metadata metav1.ObjectMeta
	strict, err := kjson.UnmarshalStrict(raw, &metadata)
	if err != nil {
		return []fieldError{{"metadata", err.Error()}}
	}
	for _, each := range strict {
		errors = append(errors, fieldError{"metadata", each.Error()})
	}
	path := field.NewPath("metadata")
	problems := metav1validation.ValidateLabels(metadata.Labels, path.Child("labels"))
	problems = append(problems, apivalidation.ValidateAnnotations(metadata.Annotations, path.Child("annotations"))...)
	if metadata.Namespace != "" {
		for _, message := range apivalidation.ValidateNamespaceName(metadata.Namespace, false) {
			problems = append(problems, field.Invalid(path.Child("namespace"), metadata.Namespace, message))
		}
	}
	return append(errors, fieldErrors(problems)...)
}

func fieldErrors(problems field.ErrorList) []fieldError {
	errors := []fieldError{}
	for _, each := range problems {
		errors = append(errors, fieldError{each.Field, each.ErrorBody()})
	}
	return errors
}
