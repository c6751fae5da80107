package cloudflare

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"hearth.dev/lab/plugins/internal/schema"
	"hearth.dev/lab/plugins/internal/standin"
)

// schemaVersion is that of all three resources. Source: cloudflare/terraform-provider-cloudflare 5.22.0, internal/services,
// schema.go of dns_record, zero_trust_tunnel_cloudflared and zero_trust_tunnel_cloudflared_config.
const schemaVersion = 500

// segment escapes a value for a URL's path.
func segment(value resource.PropertyValue) string { return url.PathEscape(value.StringValue()) }

// suffix returns the ID as a path suffix, empty without an ID.
func suffix(id string) string {
	if id == "" {
		return ""
	}
	return "/" + url.PathEscape(id)
}

// decoded reads one of the API's objects into a state. kept are properties that the API does not return.
func decoded(
	properties schema.Properties, object map[string]any, given resource.PropertyMap, kept ...resource.PropertyKey,
) (standin.State, error) {
	outputs, err := properties.Decode(object)
	if err != nil {
		return standin.State{}, fmt.Errorf("Cloudflare's answer does not match its documentation: %w", err)
	}
	for _, key := range kept {
		if value := given[key]; !value.IsNull() {
			outputs[key] = value
		}
	}
	id, _ := object["id"].(string)
	return standin.State{ID: id, Outputs: outputs}, nil
}

// gone turns "not found" into a state without outputs.
func gone(err error) (standin.State, error) {
	var no *refusal
	if errors.As(err, &no) && no.status == http.StatusNotFound {
		return standin.State{}, nil
	}
	return standin.State{}, err
}

// importID splits an ID of two parts.
func importID(id, form string) (resource.PropertyValue, string, error) {
	first, second, ok := strings.Cut(id, "/")
	if !ok || first == "" || second == "" || strings.Contains(second, "/") {
		return resource.PropertyValue{}, "", fmt.Errorf("the ID to import is not of the form %s: give both parts", form)
	}
	return resource.NewStringProperty(first), second, nil
}
