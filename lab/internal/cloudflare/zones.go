package cloudflare

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// createdOn is the creation time of the lab's account and zones.
var createdOn = time.Date(2024, time.January, 2, 3, 4, 5, 0, time.UTC)

func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000000Z") }

func (a *api) accountName() string {
	if a.config.AccountName != "" {
		return a.config.AccountName
	}
	return "Hearth lab"
}

func (a *api) account() map[string]any {
	return map[string]any{
		"id": a.config.Account, "name": a.accountName(), "type": "standard", "created_on": stamp(createdOn),
		"settings": map[string]any{"enforce_twofactor": false, "abuse_contact_email": nil},
	}
}

// hasAccount reports whether the token has a permission for the account.
func (a *api) hasAccount() bool {
	return slices.ContainsFunc(a.config.Permissions, func(one string) bool { return strings.HasPrefix(one, "Account.") })
}

func (a *api) listAccounts(r *http.Request) (any, *page, error) {
	found := []map[string]any{}
	if name := r.URL.Query().Get("name"); a.hasAccount() && (name == "" || name == a.accountName()) {
		found = append(found, a.account())
	}
	items, info := paginate(r, found, 20, 50)
	return items, info, nil
}

func (a *api) getAccount(*http.Request) (any, *page, error) {
	if !a.hasAccount() {
		return nil, nil, refuse(http.StatusForbidden, 9109, "Unauthorized to access requested resource")
	}
	return a.account(), nil, nil
}

func (a *api) zone(name string) map[string]any {
	permissions := []string{}
	for _, one := range []struct{ permission, granted string }{
		{"Zone.DNS:Edit", "#dns_records:edit"}, {"Zone.DNS:Read", "#dns_records:read"}, {"Zone.Zone:Read", "#zone:read"},
	} {
		if a.may(one.permission) {
			permissions = append(permissions, one.granted)
		}
	}
	return map[string]any{
		"id": a.config.Zones[name], "name": name, "status": "active", "paused": false, "type": "full", "development_mode": 0,
		"name_servers":          []string{"ada.ns.cloudflare.com", "bob.ns.cloudflare.com"},
		"original_name_servers": []string{}, "original_registrar": nil, "original_dnshost": nil,
		"created_on": stamp(createdOn), "modified_on": stamp(createdOn), "activated_on": stamp(createdOn),
		"meta": map[string]any{
			"step": 2, "custom_certificate_quota": 0, "page_rule_quota": 3, "phishing_detected": false,
			"cdn_only": false, "dns_only": false, "foundation_dns": false,
		},
		"owner":       map[string]any{"id": nil, "type": "user", "email": nil},
		"account":     map[string]any{"id": a.config.Account, "name": a.accountName()},
		"tenant":      map[string]any{"id": nil, "name": nil},
		"tenant_unit": map[string]any{"id": nil},
		"permissions": permissions,
		"plan": map[string]any{
			"id": "0feeeeeeeeeeeeeeeeeeeeeeeeeeeeee", "name": "Free Website", "price": 0, "currency": "USD", "frequency": "",
			"is_subscribed": false, "can_subscribe": false, "legacy_id": "free", "legacy_discount": false,
			"externally_managed": false,
		},
	}
}

func (a *api) listZones(r *http.Request) (any, *page, error) {
	query, names := r.URL.Query(), []string{}
	for name := range a.config.Zones {
		wanted := (query.Get("name") == "" || strings.EqualFold(query.Get("name"), name)) &&
			(query.Get("status") == "" || query.Get("status") == "active") &&
			(query.Get("account.id") == "" || query.Get("account.id") == a.config.Account) &&
			(query.Get("account.name") == "" || query.Get("account.name") == a.accountName()) &&
			(!query.Has("type") || slices.Contains(query["type"], "full"))
		if wanted {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if query.Get("direction") == "desc" {
		slices.Reverse(names)
	}
	part, info := paginate(r, names, 20, 50)
	zones := []map[string]any{}
	for _, name := range part {
		zones = append(zones, a.zone(name))
	}
	return zones, info, nil
}

func (a *api) getZone(r *http.Request) (any, *page, error) {
	return a.zone(a.zoneName(r.PathValue("zone"))), nil, nil
}
