package github

import (
	"context"
	"fmt"
	"net/http"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"hearth.dev/lab/plugins/internal/schema"
	"hearth.dev/lab/plugins/internal/standin"
)

// pageSize is the largest page that GitHub returns.
const pageSize = 100

// getDeployKeys lists the keys of a repository.
func getDeployKeys(api *client) standin.Function {
	return listing(api, "keys", "keys", schema.Properties{
		"id":       {Kind: schema.Integer, Computed: true},
		"key":      {Kind: schema.String, Computed: true},
		"title":    {Kind: schema.String, Computed: true},
		"verified": {Kind: schema.Boolean, Computed: true},
	})
}

// getWebhooks lists the webhooks of a repository. Their url is the hook's API address, not the one it delivers to.
func getWebhooks(api *client) standin.Function {
	return listing(api, "hooks", "webhooks", schema.Properties{
		"id":     {Kind: schema.Integer, Computed: true},
		"type":   {Kind: schema.String, Computed: true},
		"name":   {Kind: schema.String, Computed: true},
		"url":    {Kind: schema.String, Computed: true},
		"active": {Kind: schema.Boolean, Computed: true},
	})
}

// listing describes a function that lists a repository's objects of one kind. name is the result's property.
func listing(api *client, kind, name string, items schema.Properties) standin.Function {
	list := &schema.Property{Kind: schema.Array, Computed: true, Element: &schema.Property{Kind: schema.Record, Fields: items}}
	repository := &schema.Property{Kind: schema.String, Required: true}
	return standin.Function{
		Inputs:  schema.Properties{"repository": repository},
		Outputs: schema.Properties{"id": {Kind: schema.String}, "repository": repository, name: list},
		Invoke: func(ctx context.Context, given resource.PropertyMap) (resource.PropertyMap, error) {
			results := []resource.PropertyValue{}
			for page, last := 1, false; !last; page++ {
				var found []map[string]any
				path := fmt.Sprintf("%s?per_page=%d&page=%d", api.repository(given["repository"].StringValue(), kind), pageSize, page)
				if err := api.call(ctx, http.MethodGet, path, nil, &found); err != nil {
					return nil, err
				}
				for _, object := range found {
					item, err := items.Decode(object)
					if err != nil {
						return nil, err
					}
					results = append(results, resource.NewObjectProperty(item))
				}
				last = len(found) < pageSize
			}
			result := given.Copy()
			result["id"] = resource.NewStringProperty(api.owner + "/" + given["repository"].StringValue())
			result[resource.PropertyKey(name)] = resource.NewArrayProperty(results)
			return result, nil
		},
	}
}
