package main

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// valuesRequest is a request to check the values of releases, and to render them, as Helm would.
type valuesRequest struct {
	Releases []helmRelease `json:"releases"`
	// Schemas is a file that the index subcommand wrote. Charts test for Kubernetes' own kinds in it.
	Schemas string `json:"schemas"`
	// Kinds are the cluster's other kinds, in the form group/version/kind.
	Kinds []string `json:"kinds"`
}

type helmRelease struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	// Path is the chart's folder or archive. With names further folders by their path in the chart.
	Path   string            `json:"path"`
	With   map[string]string `json:"with"`
	Values map[string]any    `json:"values"`
}

type valuesAnswer struct {
	// Releases are in the order of the request.
	Releases []renderedRelease `json:"releases"`
}

type renderedRelease struct {
	Errors []fieldError `json:"errors"`
	// Objects are what Helm would apply, hooks included, without CustomResourceDefinitions and tests. Each has a namespace.
	Objects []map[string]any `json:"objects"`
}

func values(request valuesRequest) (valuesAnswer, error) {
	// Helm logs a warning for values that it cannot merge.
	slog.SetDefault(slog.New(slog.DiscardHandler))
	capabilities := common.DefaultCapabilities.Copy()
	own, err := ownKinds(request.Schemas)
	if err != nil {
		return valuesAnswer{}, err
	}
	// Helm's defaults have versions that the API server no longer serves, and no kinds.
	capabilities.APIVersions = nil
	for _, kind := range append(own, request.Kinds...) {
		capabilities.APIVersions = append(capabilities.APIVersions, strings.TrimPrefix(kind, "core/"), strings.TrimPrefix(path.Dir(kind), "core/"))
	}
	answer := valuesAnswer{[]renderedRelease{}}
	for _, release := range request.Releases {
		if err := wholeNumbers(release.Values); err != nil {
			return valuesAnswer{}, err
		}
		loaded, err := release.chart()
		if err != nil {
			return valuesAnswer{}, fmt.Errorf("the chart of %s: %w", release.Name, err)
		}
		refused, files := release.render(loaded, capabilities)
		objects, err := release.objects(files)
		if err != nil {
			return valuesAnswer{}, fmt.Errorf("what the chart of %s renders: %w", release.Name, err)
		}
		answer.Releases = append(answer.Releases, renderedRelease{refused, objects})
	}
	return answer, nil
}

// ownKinds returns Kubernetes' own kinds. The index subcommand writes them first.
func ownKinds(schemas string) ([]string, error) {
	archive, err := zip.OpenReader(schemas)
	if err != nil {
		return nil, err
	}
	defer archive.Close()
	kinds := []string{}
	for _, entry := range archive.File {
		// A schema is large, and its source comes first.
		file, err := entry.Open()
		if err != nil {
			return nil, err
		}
		start, err := io.ReadAll(io.LimitReader(file, 64))
		file.Close()
		if err != nil {
			return nil, err
		}
		if !strings.HasPrefix(string(start), `{"source":"kubernetes"`) {
			break
		}
		kinds = append(kinds, entry.Name)
	}
	return kinds, nil
}

func (r helmRelease) chart() (*chart.Chart, error) {
	if _, err := os.Stat(r.Path); err != nil {
		return nil, err
	}
	loaded, err := loader.Load(r.Path)
	if err != nil {
		return nil, err
	}
	for _, folder := range r.With {
		dependency, err := loader.LoadDir(folder)
		if err != nil {
			return nil, err
		}
		loaded.AddDependency(dependency)
	}
	return loaded, nil
}

// atPath matches one line of the errors of a JSON Schema.
var atPath = regexp.MustCompile(`at '([^']*)': (.*)`)

// render returns what Helm refuses: values that violate the chart's schema, or on which its templates fail. Otherwise it returns the
// rendered files.
func (r helmRelease) render(loaded *chart.Chart, capabilities *common.Capabilities) ([]fieldError, map[string]string) {
	found := []fieldError{}
	if err := chartutil.ProcessDependencies(loaded, r.Values); err != nil {
		return append(found, fieldError{"", err.Error()}), nil
	}
	options := common.ReleaseOptions{Name: r.Name, Namespace: r.Namespace, Revision: 1, IsInstall: true}
	all, err := util.ToRenderValues(loaded, r.Values, options, capabilities)
	if err == nil {
		files, err := engine.Render(loaded, all)
		if err != nil {
			return append(found, fieldError{"", strings.Join(strings.Fields(err.Error()), " ")}), nil
		}
		return found, files
	}
	for _, match := range atPath.FindAllStringSubmatch(err.Error(), -1) {
		found = append(found, fieldError{strings.ReplaceAll(strings.Trim(match[1], "/"), "/", "."), match[2]})
	}
	if len(found) == 0 {
		found = append(found, fieldError{"", strings.Join(strings.Fields(err.Error()), " ")})
	}
	return found, nil
}

// objects parses rendered files in the order of their names.
func (r helmRelease) objects(files map[string]string) ([]map[string]any, error) {
	objects := []map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if path.Ext(name) != ".yaml" && path.Ext(name) != ".yml" || strings.HasPrefix(path.Base(name), "_") {
			continue
		}
		documents := utilyaml.NewYAMLReader(newReader([]byte(files[name])))
		for {
			document, err := documents.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			var object map[string]any
			if err := yaml.Unmarshal(document, &object); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			u := unstructured.Unstructured{Object: object}
			if len(object) == 0 || u.GetKind() == "CustomResourceDefinition" || strings.HasPrefix(u.GetAnnotations()["helm.sh/hook"], "test") {
				continue
			}
			if u.GetNamespace() == "" {
				u.SetNamespace(r.Namespace)
			}
			objects = append(objects, u.Object)
		}
	}
	return objects, nil
}
