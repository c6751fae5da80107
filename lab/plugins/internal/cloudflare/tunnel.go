package cloudflare

import (
	"context"
	"encoding/base64"
	"net/http"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"hearth.dev/lab/plugins/internal/schema"
	"hearth.dev/lab/plugins/internal/standin"
)

// leastSecret is the minimum length of a tunnel's secret, in bytes.
const leastSecret = 32

func tunnelProperties() schema.Properties {
	text := func() *schema.Property { return &schema.Property{Kind: schema.String, Computed: true} }
	return schema.Properties{
		"accountId":       {Kind: schema.String, Required: true, Replaces: true, Wire: schema.Omitted},
		"name":            {Kind: schema.String, Required: true},
		"configSrc":       {Kind: schema.String, Default: "local", Replaces: true, OneOf: []string{"local", "cloudflare"}},
		"tunnelSecret":    {Kind: schema.String, Secret: true},
		"accountTag":      text(),
		"connections":     {Kind: schema.Array, Computed: true, Element: connection()},
		"connsActiveAt":   text(),
		"connsInactiveAt": text(),
		"createdAt":       text(),
		"deletedAt":       text(),
		"metadata":        {Kind: schema.JSON, Computed: true},
		"remoteConfig":    {Kind: schema.Boolean, Computed: true},
		"status":          text(),
		"tunType":         text(),
	}
}

func connection() *schema.Property {
	fields := schema.Properties{"isPendingReconnect": {Kind: schema.Boolean, Computed: true}}
	for _, name := range []string{"clientId", "clientVersion", "coloName", "id", "openedAt", "originIp", "uuid"} {
		fields[name] = &schema.Property{Kind: schema.String, Computed: true}
	}
	return &schema.Property{Kind: schema.Record, Fields: fields}
}

// tunnelResource is a tunnel for cloudflared. An import takes ACCOUNT/TUNNEL. Cloudflare still returns deleted tunnels,
// so a refresh does not notice a deletion. The vendor's plugin behaves the same.
func tunnelResource(api *client) standin.Resource {
	properties := tunnelProperties()
	path := func(outputs resource.PropertyMap, id string) string {
		return "/accounts/" + segment(outputs["accountId"]) + "/cfd_tunnel" + suffix(id)
	}
	read := func(ctx context.Context, id string, known resource.PropertyMap) (standin.State, error) {
		var object map[string]any
		if _, err := api.call(ctx, http.MethodGet, path(known, id), nil, nil, &object); err != nil {
			return gone(err)
		}
		return decoded(properties, object, known, "accountId", "tunnelSecret", "configSrc")
	}
	return standin.Resource{
		Properties: properties, SchemaVersion: schemaVersion, Check: checkTunnel,
		Create: func(ctx context.Context, given resource.PropertyMap) (standin.State, error) {
			var object map[string]any
			if _, err := api.call(ctx, http.MethodPost, path(given, ""), nil, properties.Encode(given), &object); err != nil {
				return standin.State{}, err
			}
			return decoded(properties, object, given, "accountId", "tunnelSecret")
		},
		Import: func(ctx context.Context, id string) (standin.State, error) {
			account, tunnel, err := importID(id, "ACCOUNT/TUNNEL")
			if err != nil {
				return standin.State{}, err
			}
			return read(ctx, tunnel, resource.PropertyMap{"accountId": account})
		},
		Refresh: func(ctx context.Context, state standin.State) (standin.State, error) {
			return read(ctx, state.ID, state.Outputs)
		},
		Update: func(ctx context.Context, state standin.State, given resource.PropertyMap) (standin.State, error) {
			changed := resource.PropertyMap{}
			for _, key := range []resource.PropertyKey{"name", "tunnelSecret"} {
				if value := given[key]; !value.IsNull() && !value.DeepEquals(state.Outputs[key]) {
					changed[key] = value
				}
			}
			body := properties.Encode(changed)
			delete(body, "config_src")
			var object map[string]any
			if _, err := api.call(ctx, http.MethodPatch, path(given, state.ID), nil, body, &object); err != nil {
				return standin.State{}, err
			}
			return decoded(properties, object, given, "accountId", "tunnelSecret", "configSrc")
		},
		Delete: func(ctx context.Context, state standin.State) error {
			_, err := api.call(ctx, http.MethodDelete, path(state.Outputs, state.ID), nil, nil, nil)
			return err
		},
	}
}

func checkTunnel(given resource.PropertyMap) []schema.Failure {
	secret := given["tunnelSecret"]
	if !secret.IsString() {
		return nil
	}
	if raw, err := base64.StdEncoding.DecodeString(secret.StringValue()); err != nil || len(raw) < leastSecret {
		return []schema.Failure{{Property: "tunnelSecret", Reason: "tunnelSecret is not base64 of at least 32 bytes"}}
	}
	return nil
}
