package registry

import (
	"fmt"
	"log"
	"path"
	"slices"

	"sigs.k8s.io/yaml"

	"hearth.dev/lab/internal/labconfig"
)

// publication is a chart at the place where the world gets it.
type publication struct {
	// host is the registry's public name.
	host string
	// repository is the path below it.
	repository string
	chart      *chart
	// index tells that it is in an index of charts, not in an OCI repository.
	index bool
}

// Where the charts are published. Sources: Cilium's installation guide for Helm, flux-operator's installation guide.
const (
	ciliumHost             = "quay.io"
	ciliumRepository       = "cilium/charts/cilium"
	fluxOperatorHost       = "ghcr.io"
	fluxOperatorRepository = "controlplaneio-fluxcd/charts/flux-operator"
)

// publications packages every chart whose source this lab has.
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

// readRelease reads a chart from its project's sources, as the project releases it: with its version filled in, and without
// dependencies that are in other repositories, which conditions turn off.
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
