package github

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"hearth.dev/lab/plugins/internal/schema"
	"hearth.dev/lab/plugins/internal/standin"
)

// hook is a webhook in the API's form.
type hook struct {
	ID     int64    `json:"id,omitempty"`
	Name   string   `json:"name,omitempty"`
	Active bool     `json:"active"`
	Events []string `json:"events"`
	Config struct {
		URL         string `json:"url"`
		ContentType string `json:"content_type,omitempty"`
		Secret      string `json:"secret,omitempty"`
		// InsecureSSL is "0" or "1".
		InsecureSSL string `json:"insecure_ssl"`
	} `json:"config"`
	URL string `json:"url,omitempty"`
}

func webhookProperties() schema.Properties {
	configuration := schema.Properties{
		"url":         {Kind: schema.String, Required: true},
		"contentType": {Kind: schema.String, Assigned: true, OneOf: []string{"form", "json"}},
		"secret":      {Kind: schema.String},
		"insecureSsl": {Kind: schema.Boolean, Default: false},
	}
	return schema.Properties{
		"repository": {Kind: schema.String, Required: true, Replaces: true},
		"events": {
			Kind: schema.Array, Required: true, Unordered: true, Element: &schema.Property{Kind: schema.String},
		},
		"configuration": {Kind: schema.Record, Fields: configuration, Secret: true},
		"active":        {Kind: schema.Boolean, Default: true},
		"etag":          {Kind: schema.String, Computed: true},
		"url":           {Kind: schema.String, Computed: true},
	}
}

// webhookResource is a webhook of a repository. Its ID is the hook's; an import takes REPOSITORY/HOOK.
func webhookResource(api *client) standin.Resource {
	read := func(ctx context.Context, id string, known resource.PropertyMap) (standin.State, error) {
		repository := known["repository"].StringValue()
		var found hook
		if err := api.call(ctx, http.MethodGet, api.repository(repository, "hooks", id), nil, &found); err != nil {
			if isGone(err) {
				return standin.State{}, nil
			}
			return standin.State{}, err
		}
		return webhookState(repository, found, known["configuration"]), nil
	}
	return standin.Resource{
		Properties: webhookProperties(),
		Create: func(ctx context.Context, given resource.PropertyMap) (standin.State, error) {
			wanted, made := hookOf(given), hook{}
			wanted.Name = "web"
			repository := given["repository"].StringValue()
			if err := api.call(ctx, http.MethodPost, api.repository(repository, "hooks"), wanted, &made); err != nil {
				return standin.State{}, err
			}
			return read(ctx, strconv.FormatInt(made.ID, 10), given)
		},
		Import: func(ctx context.Context, id string) (standin.State, error) {
			repository, hook, ok := strings.Cut(id, "/")
			if !ok || repository == "" || hook == "" {
				return standin.State{}, fmt.Errorf("the ID %q is not of the form REPOSITORY/HOOK: give both parts", id)
			}
			return read(ctx, hook, resource.PropertyMap{"repository": resource.NewStringProperty(repository)})
		},
		Refresh: func(ctx context.Context, state standin.State) (standin.State, error) {
			return read(ctx, state.ID, state.Outputs)
		},
		Update: func(ctx context.Context, state standin.State, given resource.PropertyMap) (standin.State, error) {
			repository := given["repository"].StringValue()
			path := api.repository(repository, "hooks", state.ID)
			if err := api.call(ctx, http.MethodPatch, path, hookOf(given), nil); err != nil {
				return standin.State{}, err
			}
			return read(ctx, state.ID, given)
		},
		Delete: func(ctx context.Context, state standin.State) error {
			repository := state.Outputs["repository"].StringValue()
			return api.call(ctx, http.MethodDelete, api.repository(repository, "hooks", state.ID), nil, nil)
		},
	}
}

// hookOf returns the API's object for the given inputs.
func hookOf(given resource.PropertyMap) hook {
	wanted := hook{Active: true, Events: []string{}}
	if active := given["active"]; active.IsBool() {
		wanted.Active = active.BoolValue()
	}
	for _, event := range given["events"].ArrayValue() {
		wanted.Events = append(wanted.Events, schema.Plain(event).StringValue())
	}
	configuration := fieldsOf(given["configuration"])
	text := func(key resource.PropertyKey) string {
		if value := schema.Plain(configuration[key]); value.IsString() {
			return value.StringValue()
		}
		return ""
	}
	wanted.Config.URL, wanted.Config.ContentType, wanted.Config.Secret = text("url"), text("contentType"), text("secret")
	wanted.Config.InsecureSSL = "0"
	if insecure := schema.Plain(configuration["insecureSsl"]); insecure.IsBool() && insecure.BoolValue() {
		wanted.Config.InsecureSSL = "1"
	}
	return wanted
}

// webhookState returns a hook as a state. GitHub shows its secret as asterisks, so the known one is kept.
func webhookState(repository string, found hook, known resource.PropertyValue) standin.State {
	configuration := resource.PropertyMap{
		"url":         resource.NewStringProperty(found.Config.URL),
		"contentType": resource.NewStringProperty(found.Config.ContentType),
		"insecureSsl": resource.NewBoolProperty(found.Config.InsecureSSL == "1"),
	}
	if secret := schema.Plain(fieldsOf(known)["secret"]); found.Config.Secret != "" && secret.IsString() {
		configuration["secret"] = secret
	}
	events := make([]resource.PropertyValue, 0, len(found.Events))
	for _, event := range found.Events {
		events = append(events, resource.NewStringProperty(event))
	}
	return standin.State{ID: strconv.FormatInt(found.ID, 10), Outputs: resource.PropertyMap{
		"repository":    resource.NewStringProperty(repository),
		"events":        resource.NewArrayProperty(events),
		"configuration": resource.NewObjectProperty(configuration),
		"active":        resource.NewBoolProperty(found.Active),
		"url":           resource.NewStringProperty(found.URL),
	}}
}

func fieldsOf(value resource.PropertyValue) resource.PropertyMap {
	if value = schema.Plain(value); value.IsObject() {
		return value.ObjectValue()
	}
	return resource.PropertyMap{}
}
