package cloudflare

import (
	"context"
	"net/http"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"hearth.dev/lab/plugins/internal/schema"
	"hearth.dev/lab/plugins/internal/standin"
)

func text() *schema.Property { return &schema.Property{Kind: schema.String} }

func requiredText() *schema.Property { return &schema.Property{Kind: schema.String, Required: true} }

func fields(names ...string) *schema.Property {
	properties := schema.Properties{}
	for _, name := range names {
		properties[name] = text()
	}
	return &schema.Property{Kind: schema.Record, Fields: properties}
}

// getTunnelToken returns the token with which cloudflared runs a tunnel. It is secret: Cloudflare returns it only to
// those who may edit tunnels.
func getTunnelToken(api *client) standin.Function {
	return standin.Function{
		Inputs: schema.Properties{"accountId": requiredText(), "tunnelId": requiredText()},
		Outputs: schema.Properties{
			"accountId": text(), "tunnelId": text(), "token": {Kind: schema.String, Computed: true, Secret: true},
		},
		Invoke: func(ctx context.Context, given resource.PropertyMap) (resource.PropertyMap, error) {
			var token string
			path := "/accounts/" + segment(given["accountId"]) + "/cfd_tunnel/" + segment(given["tunnelId"]) + "/token"
			if _, err := api.call(ctx, http.MethodGet, path, nil, nil, &token); err != nil {
				return nil, err
			}
			result := given.Copy()
			result["token"] = resource.NewStringProperty(token)
			return result, nil
		},
	}
}

func getTunnels(api *client) standin.Function {
	inputs := schema.Properties{
		"accountId": {Kind: schema.String, Required: true, Wire: schema.Omitted},
		"isDeleted": {Kind: schema.Boolean},
		"status":    {Kind: schema.String, OneOf: []string{"inactive", "degraded", "healthy", "down"}},
	}
	for _, name := range []string{
		"excludePrefix", "existedAt", "includePrefix", "name", "uuid", "wasActiveAt", "wasInactiveAt",
	} {
		inputs[name] = text()
	}
	items := tunnelProperties()
	delete(items, "accountId")
	delete(items, "tunnelSecret")
	return listing(api, inputs, items, func(given resource.PropertyMap) string {
		return "/accounts/" + segment(given["accountId"]) + "/cfd_tunnel"
	})
}

func getRecords(api *client) standin.Function {
	match := []string{"any", "all"}
	inputs := schema.Properties{
		"zoneId":                {Kind: schema.String, Required: true, Wire: schema.Omitted},
		"comment":               fields("absent", "contains", "endswith", "exact", "present", "startswith"),
		"content":               fields("contains", "endswith", "exact", "startswith"),
		"name":                  fields("contains", "endswith", "exact", "startswith"),
		"tag":                   fields("absent", "contains", "endswith", "exact", "present", "startswith"),
		"direction":             {Kind: schema.String, OneOf: []string{"asc", "desc"}},
		"includeShadowMetadata": {Kind: schema.Boolean},
		"match":                 {Kind: schema.String, OneOf: match},
		"order":                 {Kind: schema.String, OneOf: []string{"type", "name", "content", "ttl", "proxied"}},
		"proxied":               {Kind: schema.Boolean},
		"search":                text(), "shadowedByName": text(), "shadowingName": text(),
		"tagMatch": {Kind: schema.String, OneOf: match},
		"type":     {Kind: schema.String, OneOf: recordTypes},
	}
	items := recordProperties()
	delete(items, "zoneId")
	delete(items, "includeShadowMetadata")
	return listing(api, inputs, items, func(given resource.PropertyMap) string {
		return "/zones/" + segment(given["zoneId"]) + "/dns_records"
	})
}

func zoneFilters() schema.Properties {
	return schema.Properties{
		"account":   fields("id", "name"),
		"direction": {Kind: schema.String, OneOf: []string{"asc", "desc"}},
		"match":     {Kind: schema.String, OneOf: []string{"any", "all"}},
		"name":      text(),
		"order":     {Kind: schema.String, OneOf: []string{"name", "status", "account.id", "account.name", "plan.id"}},
		"status":    {Kind: schema.String, OneOf: []string{"initializing", "pending", "active", "moved"}},
		"types":     {Kind: schema.Array, Element: text(), Wire: "type"},
	}
}

func zoneProperties() schema.Properties {
	list := func() *schema.Property { return &schema.Property{Kind: schema.Array, Element: text()} }
	number := func() *schema.Property { return &schema.Property{Kind: schema.Number} }
	flag := func() *schema.Property { return &schema.Property{Kind: schema.Boolean} }
	return schema.Properties{
		"account": fields("id", "name"), "activatedOn": text(), "cnameSuffix": text(), "createdOn": text(),
		"developmentMode": number(), "modifiedOn": text(), "name": text(), "nameServers": list(), "originalDnshost": text(),
		"originalNameServers": list(), "originalRegistrar": text(), "owner": fields("id", "name", "type"), "paused": flag(),
		"permissions": list(), "status": text(), "tenant": fields("id", "name"), "tenantUnit": fields("id"), "type": text(),
		"vanityNameServers": list(), "verificationKey": text(),
		"meta": {Kind: schema.Record, Fields: schema.Properties{
			"cdnOnly": flag(), "customCertificateQuota": number(), "dnsOnly": flag(), "foundationDns": flag(),
			"pageRuleQuota": number(), "phishingDetected": flag(), "step": number(),
		}},
		"plan": {Kind: schema.Record, Fields: schema.Properties{
			"canSubscribe": flag(), "currency": text(), "externallyManaged": flag(), "frequency": text(), "id": text(),
			"isSubscribed": flag(), "legacyDiscount": flag(), "legacyId": text(), "name": text(), "price": number(),
		}},
	}
}

func getZones(api *client) standin.Function {
	return listing(api, zoneFilters(), zoneProperties(), func(resource.PropertyMap) string { return "/zones" })
}

// getZone finds one zone, by its ID or by a filter that matches only one.
func getZone(api *client) standin.Function {
	inputs := schema.Properties{"zoneId": text(), "filter": {Kind: schema.Record, Fields: zoneFilters()}}
	return single(api, "/zones", "zoneId", inputs, zoneProperties())
}

func accountProperties() schema.Properties {
	return schema.Properties{
		"createdOn": text(), "name": text(), "type": text(), "managedBy": fields("parentOrgId", "parentOrgName"),
		"settings": {Kind: schema.Record, Fields: schema.Properties{
			"abuseContactEmail": text(), "enforceTwofactor": {Kind: schema.Boolean},
		}},
	}
}

func getAccounts(api *client) standin.Function {
	inputs := schema.Properties{"direction": {Kind: schema.String, OneOf: []string{"asc", "desc"}}, "name": text()}
	return listing(api, inputs, accountProperties(), func(resource.PropertyMap) string { return "/accounts" })
}

// getAccount finds one account, by its ID or by a filter that matches only one.
func getAccount(api *client) standin.Function {
	filter := schema.Properties{"direction": {Kind: schema.String, OneOf: []string{"asc", "desc"}}, "name": text()}
	inputs := schema.Properties{"accountId": text(), "filter": {Kind: schema.Record, Fields: filter}}
	return single(api, "/accounts", "accountId", inputs, accountProperties())
}

// single describes a function that finds one object by the ID in key, or by a filter.
func single(api *client, path, key string, inputs, properties schema.Properties) standin.Function {
	outputs := schema.Properties{"id": text()}
	for _, more := range []schema.Properties{inputs, properties} {
		for name, property := range more {
			outputs[name] = property
		}
	}
	return standin.Function{
		Inputs: inputs, Outputs: outputs,
		Invoke: func(ctx context.Context, given resource.PropertyMap) (resource.PropertyMap, error) {
			id := given[resource.PropertyKey(key)]
			if filter := given["filter"]; filter.IsObject() {
				found, err := api.list(ctx, path, query(inputs["filter"].Fields, filter.ObjectValue()), resource.PropertyValue{})
				if err != nil {
					return nil, err
				}
				one, err := onlyOne(found)
				if err != nil {
					return nil, err
				}
				id = resource.NewPropertyValue(one["id"])
			}
			if !id.IsString() || id.StringValue() == "" {
				return nil, missing(key)
			}
			var object map[string]any
			if _, err := api.call(ctx, http.MethodGet, path+"/"+segment(id), nil, nil, &object); err != nil {
				return nil, err
			}
			result, err := properties.Decode(object)
			if err != nil {
				return nil, err
			}
			result["id"], result[resource.PropertyKey(key)] = id, id
			if !given["filter"].IsNull() {
				result["filter"] = given["filter"]
			}
			return result, nil
		},
	}
}
