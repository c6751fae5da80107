package cloudflare

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// leastSecret is the minimum length of a tunnel's secret, in bytes.
const leastSecret = 32

// tunnel is a tunnel for cloudflared in its stored form.
type tunnel struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	ConfigSrc string     `json:"config_src"`
	Secret    string     `json:"secret"`
	CreatedAt time.Time  `json:"created_at"`
	DeletedAt *time.Time `json:"deleted_at"`
	// ActiveSince and InactiveSince are when the first connection opened and the last one closed.
	ActiveSince   *time.Time   `json:"active_since"`
	InactiveSince *time.Time   `json:"inactive_since"`
	Connections   []connection `json:"connections"`
	// Config is nil without a configuration. Version counts the configurations.
	Config     json.RawMessage `json:"config,omitempty"`
	Version    int             `json:"version"`
	Configured *time.Time      `json:"configured"`
}

// connection is a connection of cloudflared to the edge.
type connection struct {
	ID       string    `json:"id"`
	ClientID string    `json:"client_id"`
	OpenedAt time.Time `json:"opened_at"`
}

func uuid() string {
	b := make([]byte, 16)
	rand.Read(b)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// connect sets the number of connections.
func (t *tunnel) connect(many int) {
	now, client := time.Now(), uuid()
	had := len(t.Connections) > 0
	t.Connections = nil
	for range many {
		t.Connections = append(t.Connections, connection{ID: uuid(), ClientID: client, OpenedAt: now})
	}
	switch {
	case many > 0 && !had:
		t.ActiveSince, t.InactiveSince = &now, nil
	case many == 0 && had:
		t.ActiveSince, t.InactiveSince = nil, &now
	}
}

func (t *tunnel) status() string {
	switch {
	case len(t.Connections) > 0:
		return "healthy"
	case t.InactiveSince != nil:
		return "down"
	}
	return "inactive"
}

func optional(at *time.Time) any {
	if at == nil {
		return nil
	}
	return stamp(*at)
}

// shown returns the tunnel in the form of the API.
func (t *tunnel) shown(account string) map[string]any {
	return map[string]any{
		"id": t.ID, "account_tag": account, "name": t.Name, "created_at": stamp(t.CreatedAt), "deleted_at": optional(t.DeletedAt),
		"conns_active_at": optional(t.ActiveSince), "conns_inactive_at": optional(t.InactiveSince),
		"connections": t.shownConnections(), "tun_type": "cfd_tunnel", "metadata": map[string]any{}, "status": t.status(),
		"remote_config": t.ConfigSrc == "cloudflare", "config_src": t.ConfigSrc,
	}
}

func (t *tunnel) shownConnections() []map[string]any {
	shown := []map[string]any{}
	for _, one := range t.Connections {
		shown = append(shown, map[string]any{
			"id": one.ID, "uuid": one.ID, "client_id": one.ClientID, "client_version": "2026.9.0", "colo_name": "LAB01",
			"is_pending_reconnect": false, "origin_ip": "192.0.2.1", "opened_at": stamp(one.OpenedAt),
		})
	}
	return shown
}

// token is the token with which cloudflared runs the tunnel.
func (t *tunnel) token(account string) string {
	raw, _ := json.Marshal(struct {
		Account string `json:"a"`
		Tunnel  string `json:"t"`
		Secret  string `json:"s"`
	}{account, t.ID, t.Secret})
	return base64.StdEncoding.EncodeToString(raw)
}

func errNoTunnel() error { return refuse(http.StatusNotFound, 1003, "Tunnel not found") }

// tunnelBody is a client's request to write a tunnel.
type tunnelBody struct {
	Name      *string `json:"name"`
	ConfigSrc *string `json:"config_src"`
	Secret    *string `json:"tunnel_secret"`
}

func readTunnel(r *http.Request) (*tunnelBody, error) {
	body := &tunnelBody{}
	if err := json.NewDecoder(r.Body).Decode(body); err != nil {
		return nil, invalid(1001, "Bad Request: the request body is not valid")
	}
	switch {
	case body.Name != nil && (*body.Name == "" || len(*body.Name) > 100):
		return nil, invalid(1001, "Bad Request: the tunnel's name must have from 1 to 100 characters")
	case body.ConfigSrc != nil && *body.ConfigSrc != "local" && *body.ConfigSrc != "cloudflare":
		return nil, invalid(1001, "Bad Request: config_src must be local or cloudflare")
	}
	if body.Secret != nil {
		raw, err := base64.StdEncoding.DecodeString(*body.Secret)
		if err != nil || len(raw) < leastSecret {
			return nil, invalid(1001, "Bad Request: the tunnel's secret must be base64 of at least 32 bytes")
		}
	}
	return body, nil
}
