package registry

import (
	"fmt"
	"log"
	"path"
	"slices"

	"sigs.k8s.io/yaml"

	"hearth.dev/lab/internal/labconfig"
)

// publication is a chart at its public location.
type publication struct {
	// host is the registry's public name.
	host string
	// repository is the path below host.
	repository string
	chart      *chart
	// index says that the chart is in a chart index, not in an OCI repository.
	index bool
}

// Public locations of the charts. Sources: the Helm installation guides of Cilium and flux-operator.
const (
	ciliumHost             = "quay.io"
	ciliumRepository       = "cilium/charts/cilium"
	fluxOperatorHost       = "ghcr.io"
	fluxOperatorRepository = "controlplaneio-fluxcd/charts/flux-operator"
)

// publications packages every chart whose source the lab has.
func publications(lab *labconfig.Lab) ([]publication, error) {
	var all []publication
	for _, source := range []struct {
		name, host, repository string
		read                   func(folder string) (*chart, error)
	}{
		{"cilium", ciliumHost, ciliumRepository, readChart},
		{"flux-operator", fluxOperatorHost, fluxOperatorRepository, fluxOperatorChart},
	} {
		folder := lab.Data[source.name]
		if folder == "" {
			log.Printf("registry: no %s chart, the lab's configuration has no data.%s", source.name, source.name)
			continue
		}
		c, err := source.read(folder)
		if err != nil {
			return nil, fmt.Errorf("the %s chart: %w", source.name, err)
		}
		all = append(all, publication{source.host, source.repository, c, false})
	}
	for _, source := range lab.Internet.Charts {
		c, err := readRelease(source)
		if err != nil {
			return nil, fmt.Errorf("the chart %s: %w", source.Repository, err)
		}
		all = append(all, publication{source.Host, source.Repository, c, source.Index})
	}
	return all, nil
}

// readRelease reads a chart from its project's sources in the form of a release: with its version, and without the
// conditional dependencies in other repositories.
func readRelease(source labconfig.Chart) (*chart, error) {
	c, err := readChart(source.Folder)
	if err != nil {
		return nil, err
	}
	for below, folder := range source.With {
		dependency, err := readChart(folder)
		if err != nil {
			return nil, err
		}
		for name, content := range dependency.files {
			c.files[path.Join(below, name)] = content
		}
	}
	c.metadata["version"] = source.Version
	if dependencies, some := c.metadata["dependencies"].([]any); some {
		c.metadata["dependencies"] = slices.DeleteFunc(dependencies, func(each any) bool {
			dependency, _ := each.(map[string]any)
			return c.files[path.Join("charts", fmt.Sprint(dependency["name"]), "Chart.yaml")] == nil
		})
	}
	c.files["Chart.yaml"], err = yaml.Marshal(c.metadata)
	return c, err
}
