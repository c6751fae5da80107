package cloudflare

import (
	"context"
	"net/http"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"hearth.dev/lab/plugins/internal/schema"
	"hearth.dev/lab/plugins/internal/standin"
)

var recordTypes = []string{
	"A", "AAAA", "CNAME", "MX", "NS", "OPENPGPKEY", "PTR", "TXT", "CAA", "CERT", "DNSKEY", "DS", "HTTPS", "LOC", "NAPTR",
	"SMIMEA", "SRV", "SSHFP", "SVCB", "TLSA", "URI",
}

func recordProperties() schema.Properties {
	flag := func() *schema.Property { return &schema.Property{Kind: schema.Boolean, Assigned: true} }
	settings := schema.Properties{"flattenCname": flag(), "ipv4Only": flag(), "ipv6Only": flag()}
	settings["ipv4Only"].Wire, settings["ipv6Only"].Wire = "ipv4_only", "ipv6_only"
	return schema.Properties{
		"zoneId":                {Kind: schema.String, Required: true, Replaces: true, Wire: schema.Omitted},
		"name":                  {Kind: schema.String, Required: true, Same: sameName},
		"type":                  {Kind: schema.String, Required: true, Replaces: true, OneOf: recordTypes},
		"ttl":                   {Kind: schema.Number, Required: true},
		"content":               {Kind: schema.String, Assigned: true, Same: sameContent},
		"comment":               {Kind: schema.String},
		"data":                  {Kind: schema.Record, Fields: recordData()},
		"includeShadowMetadata": {Kind: schema.Boolean, Wire: schema.Omitted},
		"priority":              {Kind: schema.Number, Min: schema.Bound(0), Max: schema.Bound(65535)},
		"privateRouting":        {Kind: schema.Boolean},
		"proxied":               {Kind: schema.Boolean, Default: false},
		"settings":              {Kind: schema.Record, Fields: settings, Assigned: true},
		"tags":                  {Kind: schema.Array, Element: &schema.Property{Kind: schema.String}, Unordered: true, Assigned: true},
		"commentModifiedOn":     {Kind: schema.String, Computed: true},
		"createdOn":             {Kind: schema.String, Computed: true},
		"meta":                  {Kind: schema.JSON, Computed: true},
		"modifiedOn":            {Kind: schema.String, Computed: true, Volatile: true},
		"proxiable":             {Kind: schema.Boolean, Computed: true},
		"tagsModifiedOn":        {Kind: schema.String, Computed: true},
	}
}

// recordData are the fields of record types with structured content.
func recordData() schema.Properties {
	fields := schema.Properties{"flags": {Kind: schema.Any}}
	for _, name := range strings.Fields("certificate digest fingerprint latDirection longDirection publicKey regex " +
		"replacement service tag target value") {
		fields[name] = &schema.Property{Kind: schema.String}
	}
	for _, name := range strings.Fields("algorithm altitude digestType keyTag latDegrees latMinutes latSeconds longDegrees " +
		"longMinutes longSeconds matchingType order port precisionHorz precisionVert preference priority protocol selector " +
		"size type usage weight") {
		fields[name] = &schema.Property{Kind: schema.Number}
	}
	return fields
}

// sameName reports whether the full name in the state, which is the API's, is the given name relative to its zone. If
// the input changes, the names are the same only if the previous input was the full name, as after an import.
func sameName(state, given, before resource.PropertyValue) bool {
	if !state.IsString() || !given.IsString() {
		return false
	}
	full, name := strings.TrimSuffix(state.StringValue(), "."), strings.TrimSuffix(given.StringValue(), ".")
	switch {
	case strings.EqualFold(full, name):
		return true
	case !given.DeepEquals(before) && !state.DeepEquals(before):
		return false
	case name == "@":
		return strings.Contains(full, ".")
	}
	return strings.HasPrefix(strings.ToLower(full), strings.ToLower(name)+".")
}

// sameContent compares without regard to case, because host names have none. Among the record types that take plain
// content, only TXT has values that differ by case alone.
func sameContent(state, given, _ resource.PropertyValue) bool {
	if !state.IsString() || !given.IsString() {
		return false
	}
	a, b := state.StringValue(), given.StringValue()
	return a == b || strings.Contains(a, ".") && !strings.ContainsAny(a+b, "\" =") && strings.EqualFold(a, b)
}

// recordResource is a DNS record. Cloudflare keeps its own ID; an import takes ZONE/RECORD.
func recordResource(api *client) standin.Resource {
	properties := recordProperties()
	path := func(outputs resource.PropertyMap, id string) string {
		return "/zones/" + segment(outputs["zoneId"]) + "/dns_records" + suffix(id)
	}
	finish := func(object map[string]any, given resource.PropertyMap) (standin.State, error) {
		state, err := decoded(properties, object, given, "zoneId", "includeShadowMetadata")
		if err == nil && state.Outputs["type"].StringValue() == "CNAME" {
			state.Outputs["settings"] = settled(state.Outputs["settings"])
		}
		return state, err
	}
	send := func(ctx context.Context, method, id string, given resource.PropertyMap) (standin.State, error) {
		var object map[string]any
		if _, err := api.call(ctx, method, path(given, id), nil, properties.Encode(given), &object); err != nil {
			return standin.State{}, err
		}
		state, err := finish(object, given)
		if err == nil {
			state.Outputs["name"] = given["name"] // as in the vendor's plugin: the full name appears after a refresh
		}
		return state, err
	}
	read := func(ctx context.Context, id string, known resource.PropertyMap) (standin.State, error) {
		var object map[string]any
		if _, err := api.call(ctx, http.MethodGet, path(known, id), nil, nil, &object); err != nil {
			return gone(err)
		}
		return finish(object, known)
	}
	return standin.Resource{
		Properties: properties, SchemaVersion: schemaVersion, Check: checkRecord,
		Create: func(ctx context.Context, given resource.PropertyMap) (standin.State, error) {
			return send(ctx, http.MethodPost, "", given)
		},
		Import: func(ctx context.Context, id string) (standin.State, error) {
			zone, record, err := importID(id, "ZONE/RECORD")
			if err != nil {
				return standin.State{}, err
			}
			return read(ctx, record, resource.PropertyMap{"zoneId": zone})
		},
		Refresh: func(ctx context.Context, state standin.State) (standin.State, error) {
			return read(ctx, state.ID, state.Outputs)
		},
		Update: func(ctx context.Context, state standin.State, given resource.PropertyMap) (standin.State, error) {
			return send(ctx, http.MethodPut, state.ID, given)
		},
		Delete: func(ctx context.Context, state standin.State) error {
			_, err := api.call(ctx, http.MethodDelete, path(state.Outputs, state.ID), nil, nil, nil)
			return err
		},
	}
}

func checkRecord(given resource.PropertyMap) []schema.Failure {
	var found []schema.Failure
	if !given["content"].IsNull() && !given["data"].IsNull() {
		found = append(found, schema.Failure{Property: "content", Reason: "content and data are both given: remove one"})
	}
	proxied, ttl := given["proxied"], given["ttl"]
	if proxied.IsBool() && proxied.BoolValue() && ttl.IsNumber() && ttl.NumberValue() != 1 {
		found = append(found, schema.Failure{Property: "ttl", Reason: "ttl must be 1 (automatic) for a proxied record"})
	}
	return found
}

// settled completes a CNAME's settings, which the API omits when all are off.
func settled(settings resource.PropertyValue) resource.PropertyValue {
	all := resource.PropertyMap{}
	for _, key := range []resource.PropertyKey{"flattenCname", "ipv4Only", "ipv6Only"} {
		all[key] = resource.NewBoolProperty(false)
		if settings.IsObject() && settings.ObjectValue()[key].IsBool() {
			all[key] = settings.ObjectValue()[key]
		}
	}
	return resource.NewObjectProperty(all)
}
