package main

import (
	"fmt"
	"log/slog"
	"os"
	"path"
	"regexp"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
)

// valuesRequest is a request to check the values of releases as Helm would.
type valuesRequest struct {
	Releases []helmRelease `json:"releases"`
	// Kinds are the cluster's kinds, in the form group/version/kind, which charts test for.
	Kinds []string `json:"kinds"`
}

type helmRelease struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	// Folder contains the chart. With names further folders by their path in the chart.
	Folder string            `json:"folder"`
	With   map[string]string `json:"with"`
	Values map[string]any    `json:"values"`
}

type valuesAnswer struct {
	// Releases are in the order of the request. Each has its errors.
	Releases [][]fieldError `json:"releases"`
}

func values(request valuesRequest) (valuesAnswer, error) {
	// Helm logs a warning for values that it cannot merge.
	slog.SetDefault(slog.New(slog.DiscardHandler))
	capabilities := common.DefaultCapabilities.Copy()
	for _, kind := range request.Kinds {
		capabilities.APIVersions = append(capabilities.APIVersions, strings.TrimPrefix(kind, "core/"), strings.TrimPrefix(path.Dir(kind), "core/"))
	}
	answer := valuesAnswer{[][]fieldError{}}
	for _, release := range request.Releases {
		if err := wholeNumbers(release.Values); err != nil {
			return valuesAnswer{}, err
		}
		loaded, err := release.chart()
		if err != nil {
			return valuesAnswer{}, fmt.Errorf("the chart of %s: %w", release.Name, err)
		}
		answer.Releases = append(answer.Releases, release.errors(loaded, capabilities))
	}
	return answer, nil
}

func (r helmRelease) chart() (*chart.Chart, error) {
	if _, err := os.Stat(r.Folder); err != nil {
		return nil, err
	}
	loaded, err := loader.LoadDir(r.Folder)
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

// errors returns what Helm refuses: values that violate the chart's schema, or on which its templates fail.
func (r helmRelease) errors(loaded *chart.Chart, capabilities *common.Capabilities) []fieldError {
	found := []fieldError{}
	if err := chartutil.ProcessDependencies(loaded, r.Values); err != nil {
		return append(found, fieldError{"", err.Error()})
	}
	options := common.ReleaseOptions{Name: r.Name, Namespace: r.Namespace, Revision: 1, IsInstall: true}
	all, err := util.ToRenderValues(loaded, r.Values, options, capabilities)
	if err == nil {
		if _, err = engine.Render(loaded, all); err != nil {
			return append(found, fieldError{"", strings.Join(strings.Fields(err.Error()), " ")})
		}
		return found
	}
	for _, match := range atPath.FindAllStringSubmatch(err.Error(), -1) {
		found = append(found, fieldError{strings.ReplaceAll(strings.Trim(match[1], "/"), "/", "."), match[2]})
	}
	if len(found) == 0 {
		found = append(found, fieldError{"", strings.Join(strings.Fields(err.Error()), " ")})
	}
	return found
}
