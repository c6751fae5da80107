package registry

import (
	"fmt"
	"log"

	"hearth.dev/lab/internal/labconfig"
)

// publication is a chart at the place where the world gets it.
type publication struct {
	// host is the registry's public name.
	host string
	// repository is the path below it.
	repository string
	chart      *chart
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
		all = append(all, publication{source.host, source.repository, c})
	}
	return all, nil
}
