package cloudflare

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"hearth.dev/lab/plugins/internal/schema"
	"hearth.dev/lab/plugins/internal/standin"
)

const (
	defaultMaxItems = 1000
	pageSize        = 100
)

// query adds the given inputs to a list's query. Nested values get dotted names, as the API expects.
func query(properties schema.Properties, given resource.PropertyMap) url.Values {
	values := url.Values{}
	var add func(name string, value any)
	add = func(name string, value any) {
		switch value := value.(type) {
		case map[string]any:
			for key, element := range value {
				add(name+"."+key, element)
			}
		case []any:
			for _, element := range value {
				add(name, element)
			}
		case float64:
			values.Add(name, strconv.FormatFloat(value, 'f', -1, 64))
		default:
			values.Add(name, fmt.Sprint(value))
		}
	}
	for name, value := range properties.Encode(given) {
		add(name, value)
	}
	return values
}

// list gets all pages of a list, up to maxItems items.
func (c *client) list(ctx context.Context, path string, values url.Values, maxItems resource.PropertyValue) ([]map[string]any, error) {
	limit := defaultMaxItems
	if maxItems.IsNumber() && maxItems.NumberValue() > 0 {
		limit = int(maxItems.NumberValue())
	}
	values.Set("per_page", strconv.Itoa(pageSize))
	var all []map[string]any
	for page := 1; ; page++ {
		values.Set("page", strconv.Itoa(page))
		var items []map[string]any
		answer, err := c.call(ctx, http.MethodGet, path, values, nil, &items)
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
		if len(items) == 0 || page >= answer.Info.TotalPages || len(all) >= limit {
			return all[:min(len(all), limit)], nil
		}
	}
}

// listing describes a function that returns its inputs, with the items it found in results. items are the properties of
// an item without its ID.
func listing(
	api *client, inputs, items schema.Properties, path func(given resource.PropertyMap) string,
) standin.Function {
	inputs["maxItems"] = &schema.Property{Kind: schema.Integer, Wire: schema.Omitted, Min: schema.Bound(0)}
	items["id"] = &schema.Property{Kind: schema.String, Computed: true}
	outputs := schema.Properties{
		"results": {Kind: schema.Array, Computed: true, Element: &schema.Property{Kind: schema.Record, Fields: items}},
	}
	for name, property := range inputs {
		outputs[name] = property
	}
	return standin.Function{
		Inputs: inputs, Outputs: outputs,
		Invoke: func(ctx context.Context, given resource.PropertyMap) (resource.PropertyMap, error) {
			found, err := api.list(ctx, path(given), query(inputs, given), given["maxItems"])
			if err != nil {
				return nil, err
			}
			results := make([]resource.PropertyValue, 0, len(found))
			for _, object := range found {
				item, err := items.Decode(object)
				if err != nil {
					return nil, err
				}
				results = append(results, resource.NewObjectProperty(item))
			}
			result := given.Copy()
			for name, property := range inputs {
				key := resource.PropertyKey(name)
				if _, ok := result[key]; !ok && property.Default != nil {
					result[key] = resource.NewPropertyValue(property.Default)
				}
			}
			result["results"] = resource.NewArrayProperty(results)
			return result, nil
		},
	}
}

// onlyOne returns the only item of a list, or an error if there are none or several.
func onlyOne(found []map[string]any) (map[string]any, error) {
	if len(found) != 1 {
		return nil, fmt.Errorf("the filter finds %d instead of exactly one: give a narrower or another filter", len(found))
	}
	return found[0], nil
}

func missing(key string) error {
	return fmt.Errorf("neither %s nor filter is given: give one of them", key)
}
