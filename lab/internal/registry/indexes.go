package registry

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"sigs.k8s.io/yaml"
)

// indexed are the fields of Chart.yaml that an index repeats. Clients refuse unknown fields.
var indexed = []string{"apiVersion", "name", "version", "appVersion", "description", "type", "kubeVersion"}

// indexes returns the files of every chart index by host and path: the index and its charts. Source: Helm's
// documentation, "The Chart Repository Guide".
func indexes(charts []publication) (map[string][]byte, error) {
	files := map[string][]byte{}
	entries := map[string]map[string][]any{}
	for _, each := range charts {
		if !each.index {
			continue
		}
		packed, err := each.chart.archive()
		if err != nil {
			return nil, err
		}
		location := "/" + each.repository
		if each.repository == "" {
			location = ""
		}
		location = each.host + location
		name := fmt.Sprintf("%s-%s.tgz", each.chart.name(), each.chart.version())
		files[location+"/"+name] = packed
		digest := sha256.Sum256(packed)
		entry := map[string]any{}
		for _, key := range indexed {
			if value, given := each.chart.metadata[key]; given {
				entry[key] = value
			}
		}
		entry["urls"], entry["digest"] = []string{name}, hex.EncodeToString(digest[:])
		if entries[location] == nil {
			entries[location] = map[string][]any{}
		}
		entries[location][each.chart.name()] = append(entries[location][each.chart.name()], entry)
	}
	for location, known := range entries {
		index, err := yaml.Marshal(map[string]any{"apiVersion": "v1", "entries": known, "generated": "2026-01-01T00:00:00Z"})
		if err != nil {
			return nil, err
		}
		files[location+"/index.yaml"] = index
	}
	return files, nil
}
