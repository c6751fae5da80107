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

// deployKey is a key in the API's form.
type deployKey struct {
	ID       int64  `json:"id"`
	Key      string `json:"key"`
	Title    string `json:"title"`
	ReadOnly bool   `json:"read_only"`
}

func deployKeyProperties() schema.Properties {
	return schema.Properties{
		"key":        {Kind: schema.String, Required: true, Replaces: true, Same: sameKey},
		"readOnly":   {Kind: schema.Boolean, Default: true, Replaces: true},
		"repository": {Kind: schema.String, Required: true, Replaces: true, Wire: schema.Omitted},
		"title":      {Kind: schema.String, Required: true, Replaces: true},
		"etag":       {Kind: schema.String, Computed: true},
	}
}

// sameKey compares keys without their comments, which GitHub does not keep.
func sameKey(state, given, _ resource.PropertyValue) bool {
	return state.IsString() && given.IsString() && bareKey(state.StringValue()) == bareKey(given.StringValue())
}

func bareKey(key string) string {
	fields := strings.Fields(key)
	return strings.Join(fields[:min(2, len(fields))], " ")
}

// deployKeyResource is a key for one repository. Its ID is REPOSITORY:KEY, which an import takes too.
func deployKeyResource(api *client) standin.Resource {
	properties := deployKeyProperties()
	read := func(ctx context.Context, id string) (standin.State, error) {
		repository, key, err := deployKeyID(id)
		if err != nil {
			return standin.State{}, err
		}
		var found deployKey
		if err := api.call(ctx, http.MethodGet, api.repository(repository, "keys", key), nil, &found); err != nil {
			if isGone(err) {
				return standin.State{}, nil
			}
			return standin.State{}, err
		}
		return standin.State{ID: id, Outputs: resource.PropertyMap{
			"key":        resource.NewStringProperty(found.Key),
			"readOnly":   resource.NewBoolProperty(found.ReadOnly),
			"repository": resource.NewStringProperty(repository),
			"title":      resource.NewStringProperty(found.Title),
		}}, nil
	}
	return standin.Resource{
		Properties: properties,
		Create: func(ctx context.Context, given resource.PropertyMap) (standin.State, error) {
			repository := given["repository"].StringValue()
			var made deployKey
			err := api.call(ctx, http.MethodPost, api.repository(repository, "keys"), properties.Encode(given), &made)
			if err != nil {
				return standin.State{}, err
			}
			return read(ctx, repository+":"+strconv.FormatInt(made.ID, 10))
		},
		Import:  read,
		Refresh: func(ctx context.Context, state standin.State) (standin.State, error) { return read(ctx, state.ID) },
		Delete: func(ctx context.Context, state standin.State) error {
			repository, key, err := deployKeyID(state.ID)
			if err != nil {
				return err
			}
			return api.call(ctx, http.MethodDelete, api.repository(repository, "keys", key), nil, nil)
		},
	}
}

func deployKeyID(id string) (repository, key string, err error) {
	repository, key, ok := strings.Cut(id, ":")
	if _, number := strconv.ParseInt(key, 10, 64); !ok || repository == "" || number != nil {
		return "", "", fmt.Errorf("the ID %q is not of the form REPOSITORY:KEY: give both parts", id)
	}
	return repository, key, nil
}
