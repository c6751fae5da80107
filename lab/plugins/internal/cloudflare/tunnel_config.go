package cloudflare

import (
	"context"
	"net/http"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"hearth.dev/lab/plugins/internal/schema"
	"hearth.dev/lab/plugins/internal/standin"
)

func tunnelConfigProperties() schema.Properties {
	rule := schema.Properties{
		"hostname":      {Kind: schema.String},
		"path":          {Kind: schema.String},
		"service":       {Kind: schema.String, Required: true},
		"originRequest": originRequest(),
	}
	return schema.Properties{
		"accountId": {Kind: schema.String, Required: true, Replaces: true, Wire: schema.Omitted},
		"tunnelId":  {Kind: schema.String, Required: true, Replaces: true},
		"config": {Kind: schema.Record, Assigned: true, Fields: schema.Properties{
			"ingresses":     {Kind: schema.Array, Wire: "ingress", Terraform: "ingress", Element: &schema.Property{Kind: schema.Record, Fields: rule}},
			"originRequest": originRequest(),
		}},
		"source":    {Kind: schema.String, Assigned: true, OneOf: []string{"local", "cloudflare"}},
		"createdAt": {Kind: schema.String, Computed: true},
		"version":   {Kind: schema.Integer, Computed: true, Volatile: true},
	}
}

// originRequest describes how cloudflared connects to a service. Durations are whole seconds.
func originRequest() *schema.Property {
	fields := schema.Properties{
		"access": {Kind: schema.Record, Fields: schema.Properties{
			"audTags":  {Kind: schema.Array, Element: &schema.Property{Kind: schema.String}, Required: true, Wire: "audTag", Terraform: "aud_tag"},
			"required": {Kind: schema.Boolean},
			"teamName": {Kind: schema.String, Required: true, Wire: "teamName"},
		}},
	}
	for kind, names := range map[schema.Kind]map[string]string{
		schema.String: {
			"caPool": "caPool", "httpHostHeader": "httpHostHeader", "originServerName": "originServerName", "proxyType": "proxyType",
		},
		schema.Boolean: {
			"disableChunkedEncoding": "disableChunkedEncoding", "http2Origin": "http2Origin", "matchSnItoHost": "matchSNItoHost",
			"noHappyEyeballs": "noHappyEyeballs", "noTlsVerify": "noTLSVerify",
		},
		schema.Integer: {
			"connectTimeout": "connectTimeout", "keepAliveConnections": "keepAliveConnections",
			"keepAliveTimeout": "keepAliveTimeout", "tcpKeepAlive": "tcpKeepAlive", "tlsTimeout": "tlsTimeout",
		},
	} {
		for name, wire := range names {
			fields[name] = &schema.Property{Kind: kind, Wire: wire}
		}
	}
	return &schema.Property{Kind: schema.Record, Fields: fields, Wire: "originRequest"}
}

// tunnelConfigResource is a tunnel's configuration. Its ID is the tunnel's. An import takes ACCOUNT/TUNNEL. Deleting it
// changes nothing at Cloudflare: it ends with the tunnel.
func tunnelConfigResource(api *client) standin.Resource {
	properties := tunnelConfigProperties()
	path := func(account, tunnel resource.PropertyValue) string {
		return "/accounts/" + segment(account) + "/cfd_tunnel/" + segment(tunnel) + "/configurations"
	}
	finish := func(object map[string]any, known resource.PropertyMap) (standin.State, error) {
		state, err := decoded(properties, object, known, "accountId", "tunnelId")
		if err == nil {
			state.ID = state.Outputs["tunnelId"].StringValue()
		}
		return state, err
	}
	write := func(ctx context.Context, given resource.PropertyMap) (standin.State, error) {
		body := properties.Encode(given)
		delete(body, "tunnel_id")
		var object map[string]any
		if _, err := api.call(
			ctx, http.MethodPut, path(given["accountId"], given["tunnelId"]), nil, body, &object,
		); err != nil {
			return standin.State{}, err
		}
		return finish(object, given)
	}
	read := func(ctx context.Context, known resource.PropertyMap) (standin.State, error) {
		var object map[string]any
		if _, err := api.call(
			ctx, http.MethodGet, path(known["accountId"], known["tunnelId"]), nil, nil, &object,
		); err != nil {
			return gone(err)
		}
		return finish(object, known)
	}
	return standin.Resource{
		Properties: properties, SchemaVersion: schemaVersion,
		Create: write,
		Import: func(ctx context.Context, id string) (standin.State, error) {
			account, tunnel, err := importID(id, "ACCOUNT/TUNNEL")
			if err != nil {
				return standin.State{}, err
			}
			return read(ctx, resource.PropertyMap{"accountId": account, "tunnelId": resource.NewStringProperty(tunnel)})
		},
		Refresh: func(ctx context.Context, state standin.State) (standin.State, error) { return read(ctx, state.Outputs) },
		Update: func(ctx context.Context, _ standin.State, given resource.PropertyMap) (standin.State, error) {
			return write(ctx, given)
		},
	}
}
