package registry

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
)

// Media types of a chart as Helm stores it. Source: Helm's documentation, "Use OCI-based registries".
const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	configType   = "application/vnd.cncf.helm.config.v1+json"
	contentType  = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
)

type descriptor struct {
	MediaType string `json:"mediaType"`
	Digest    string `json:"digest"`
	Size      int    `json:"size"`
}

type manifest struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	Config        descriptor        `json:"config"`
	Layers        []descriptor      `json:"layers"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

// push uploads a chart to a registry as a client does, without a network.
func push(handler http.Handler, repository string, c *chart) error {
	metadata, err := json.Marshal(c.metadata)
	if err != nil {
		return err
	}
	archive, err := c.archive()
	if err != nil {
		return err
	}
	config, content := describe(configType, metadata), describe(contentType, archive)
	document, err := json.Marshal(manifest{
		SchemaVersion: 2, MediaType: manifestType, Config: config, Layers: []descriptor{content},
		Annotations: map[string]string{
			"org.opencontainers.image.title":       c.name(),
			"org.opencontainers.image.version":     c.version(),
			"org.opencontainers.image.description": c.text("description"),
		},
	})
	if err != nil {
		return err
	}
	for _, blob := range []struct {
		descriptor
		content []byte
	}{{config, metadata}, {content, archive}} {
		path := fmt.Sprintf("/v2/%s/blobs/uploads/?digest=%s", repository, blob.Digest)
		if err := call(handler, http.MethodPost, path, "application/octet-stream", blob.content); err != nil {
			return err
		}
	}
	path := fmt.Sprintf("/v2/%s/manifests/%s", repository, c.tag())
	return call(handler, http.MethodPut, path, manifestType, document)
}

func describe(mediaType string, content []byte) descriptor {
	return descriptor{mediaType, fmt.Sprintf("sha256:%x", sha256.Sum256(content)), len(content)}
}

func call(handler http.Handler, method, path, mediaType string, body []byte) error {
	request := httptest.NewRequest(method, path, bytes.NewReader(body))
	request.Header.Set("Content-Type", mediaType)
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	if answer.Code != http.StatusCreated {
		return fmt.Errorf("%s %s answered %d: %s", method, path, answer.Code, answer.Body)
	}
	return nil
}
