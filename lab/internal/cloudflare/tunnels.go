package cloudflare

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// tunnel returns the tunnel that a request names. With alive it ignores deleted ones.
func (held *contents) tunnel(r *http.Request, alive bool) (*tunnel, error) {
	found := held.Tunnels[r.PathValue("tunnel")]
	if found == nil || alive && found.DeletedAt != nil {
		return nil, errNoTunnel()
	}
	return found, nil
}

// nameTaken refuses a name that another tunnel has.
func (held *contents) nameTaken(name, but string) error {
	for _, other := range held.Tunnels {
		if other.ID != but && other.DeletedAt == nil && other.Name == name {
			return refuse(http.StatusConflict, 1013, "You already have a tunnel with this name. "+
				"Delete the existing tunnel, or choose a different name for your new tunnel")
		}
	}
	return nil
}

func (a *api) listTunnels(r *http.Request) (any, *page, error) {
	held, err := a.store.read()
	if err != nil {
		return nil, nil, err
	}
	found := []*tunnel{}
	for _, one := range held.Tunnels {
		matches, err := one.matches(r.URL.Query())
		if err != nil {
			return nil, nil, err
		}
		if matches {
			found = append(found, one)
		}
	}
	slices.SortFunc(found, func(a, b *tunnel) int { return b.CreatedAt.Compare(a.CreatedAt) })
	part, info := paginate(r, found, 20, 1000)
	shown := []map[string]any{}
	for _, one := range part {
		shown = append(shown, one.shown(a.config.Account))
	}
	return shown, info, nil
}

// matches reports whether a tunnel matches a list's filters. Without is_deleted, the list includes deleted tunnels.
func (t *tunnel) matches(query url.Values) (bool, error) {
	at := func(name string) (time.Time, error) {
		moment, err := time.Parse(time.RFC3339, query.Get(name))
		if err != nil {
			return moment, invalid(1001, "Bad Request: "+name+" must be a timestamp of RFC 3339")
		}
		return moment, nil
	}
	matches := (query.Get("name") == "" || query.Get("name") == t.Name) &&
		(query.Get("uuid") == "" || query.Get("uuid") == t.ID) &&
		(query.Get("status") == "" || query.Get("status") == t.status()) &&
		strings.HasPrefix(t.Name, query.Get("include_prefix")) &&
		(query.Get("exclude_prefix") == "" || !strings.HasPrefix(t.Name, query.Get("exclude_prefix")))
	if wanted := query.Get("is_deleted"); wanted != "" {
		matches = matches && (wanted == "true") == (t.DeletedAt != nil)
	}
	if query.Get("existed_at") != "" {
		moment, err := at("existed_at")
		if err != nil {
			return false, err
		}
		matches = matches && !t.CreatedAt.After(moment) && (t.DeletedAt == nil || t.DeletedAt.After(moment))
	}
	for name, active := range map[string]bool{"was_active_at": true, "was_inactive_at": false} {
		if query.Get(name) == "" {
			continue
		}
		moment, err := at(name)
		if err != nil {
			return false, err
		}
		matches = matches && active == (t.ActiveSince != nil && !t.ActiveSince.After(moment))
	}
	return matches, nil
}

func (a *api) createTunnel(r *http.Request) (any, *page, error) {
	body, err := readTunnel(r)
	if err != nil {
		return nil, nil, err
	}
	if body.Name == nil {
		return nil, nil, invalid(1001, "Bad Request: the tunnel's name is missing")
	}
	made := &tunnel{ID: uuid(), Name: *body.Name, ConfigSrc: "local", CreatedAt: time.Now()}
	if body.ConfigSrc != nil {
		made.ConfigSrc = *body.ConfigSrc
	}
	if body.Secret != nil {
		made.Secret = *body.Secret
	} else {
		raw := make([]byte, leastSecret)
		rand.Read(raw)
		made.Secret = base64.StdEncoding.EncodeToString(raw)
	}
	err = a.store.change(func(held *contents) error {
		held.Tunnels[made.ID] = made
		return held.nameTaken(made.Name, made.ID)
	})
	shown := made.shown(a.config.Account)
	shown["token"] = made.token(a.config.Account)
	shown["credentials_file"] = map[string]string{
		"AccountTag": a.config.Account, "TunnelID": made.ID, "TunnelName": made.Name, "TunnelSecret": made.Secret,
	}
	return shown, nil, err
}

// getTunnel also returns deleted tunnels.
func (a *api) getTunnel(r *http.Request) (any, *page, error) {
	held, err := a.store.read()
	if err != nil {
		return nil, nil, err
	}
	found, err := held.tunnel(r, false)
	if err != nil {
		return nil, nil, err
	}
	return found.shown(a.config.Account), nil, nil
}

// alter changes the tunnel that a request names, and returns it.
func (a *api) alter(r *http.Request, edit func(*contents, *tunnel) error) (any, *page, error) {
	var changed *tunnel
	err := a.store.change(func(held *contents) (err error) {
		if changed, err = held.tunnel(r, true); err != nil {
			return err
		}
		return edit(held, changed)
	})
	if err != nil {
		return nil, nil, err
	}
	return changed.shown(a.config.Account), nil, nil
}

func (a *api) editTunnel(r *http.Request) (any, *page, error) {
	body, err := readTunnel(r)
	if err != nil {
		return nil, nil, err
	}
	return a.alter(r, func(held *contents, found *tunnel) error {
		if body.Name != nil {
			found.Name = *body.Name
		}
		if body.Secret != nil {
			found.Secret = *body.Secret
		}
		return held.nameTaken(found.Name, found.ID)
	})
}

// deleteTunnel marks a tunnel as deleted. It refuses if the tunnel has connections, unless cascade is given.
func (a *api) deleteTunnel(r *http.Request) (any, *page, error) {
	return a.alter(r, func(_ *contents, found *tunnel) error {
		if r.URL.Query().Get("cascade") == "true" {
			found.connect(0)
		}
		if len(found.Connections) > 0 {
			return refuse(http.StatusBadRequest, 1022, "Cannot delete tunnel because it has active connections")
		}
		now := time.Now()
		found.DeletedAt = &now
		return nil
	})
}

func (a *api) getTunnelToken(r *http.Request) (any, *page, error) {
	held, err := a.store.read()
	if err != nil {
		return nil, nil, err
	}
	found, err := held.tunnel(r, true)
	if err != nil {
		return nil, nil, err
	}
	return found.token(a.config.Account), nil, nil
}

func (a *api) listConnections(r *http.Request) (any, *page, error) {
	held, err := a.store.read()
	if err != nil {
		return nil, nil, err
	}
	found, err := held.tunnel(r, true)
	if err != nil {
		return nil, nil, err
	}
	clients := []map[string]any{}
	if shown := found.shownConnections(); len(shown) > 0 {
		clients = append(clients, map[string]any{
			"id": found.Connections[0].ClientID, "version": "2026.9.0", "arch": "linux_amd64", "config_version": found.Version,
			"run_at": stamp(*found.ActiveSince), "features": []string{}, "conns": shown,
		})
	}
	return clients, nil, nil
}

// cleanConnections closes the connections of one client, or all.
func (a *api) cleanConnections(r *http.Request) (any, *page, error) {
	client := r.URL.Query().Get("client_id")
	_, _, err := a.alter(r, func(_ *contents, found *tunnel) error {
		if client == "" || slices.ContainsFunc(found.Connections, func(c connection) bool { return c.ClientID == client }) {
			found.connect(0)
		}
		return nil
	})
	return nil, nil, err
}
