package cloudflare

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// tunnelConfig is a tunnel's configuration, with the fields that are validated.
type tunnelConfig struct {
	Ingress       []rule         `json:"ingress"`
	OriginRequest *originRequest `json:"originRequest"`
}

// rule sends requests that match a host name and a path to a service.
type rule struct {
	Hostname      string         `json:"hostname"`
	Path          string         `json:"path"`
	Service       string         `json:"service"`
	OriginRequest *originRequest `json:"originRequest"`
}

// originRequest has the types of the settings with which cloudflared connects to a service. Durations are whole
// seconds.
type originRequest struct {
	Access *struct {
		Required bool     `json:"required"`
		TeamName string   `json:"teamName"`
		AudTag   []string `json:"audTag"`
	} `json:"access"`
	CAPool                 string `json:"caPool"`
	ConnectTimeout         int    `json:"connectTimeout"`
	DisableChunkedEncoding bool   `json:"disableChunkedEncoding"`
	HTTP2Origin            bool   `json:"http2Origin"`
	HTTPHostHeader         string `json:"httpHostHeader"`
	KeepAliveConnections   int    `json:"keepAliveConnections"`
	KeepAliveTimeout       int    `json:"keepAliveTimeout"`
	MatchSNIToHost         bool   `json:"matchSNItoHost"`
	NoHappyEyeballs        bool   `json:"noHappyEyeballs"`
	NoTLSVerify            bool   `json:"noTLSVerify"`
	OriginServerName       string `json:"originServerName"`
	ProxyType              string `json:"proxyType"`
	TCPKeepAlive           int    `json:"tcpKeepAlive"`
	TLSTimeout             int    `json:"tlsTimeout"`
}

func badConfiguration(format string, values ...any) error {
	return invalid(1056, "Bad Configuration: Validation failed: "+fmt.Sprintf(format, values...))
}

func (a *api) getConfiguration(r *http.Request) (any, *page, error) {
	held, err := a.store.read()
	if err != nil {
		return nil, nil, err
	}
	found, err := held.tunnel(r, true)
	if err != nil {
		return nil, nil, err
	}
	return found.configuration(a.config.Account), nil, nil
}

func (a *api) putConfiguration(r *http.Request) (any, *page, error) {
	var body struct {
		Config json.RawMessage `json:"config"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return nil, nil, invalid(1001, "Bad Request: the request body is not valid")
	}
	if len(body.Config) == 0 || string(body.Config) == "null" {
		return nil, nil, badConfiguration("config is missing")
	}
	config := &tunnelConfig{}
	if err := json.Unmarshal(body.Config, config); err != nil {
		return nil, nil, badConfiguration("%v", err)
	}
	if err := config.validate(); err != nil {
		return nil, nil, err
	}
	var result map[string]any
	_, _, err := a.alter(r, func(_ *contents, found *tunnel) error {
		now := time.Now()
		found.Config, found.Configured = body.Config, &now
		found.Version++
		result = found.configuration(a.config.Account)
		return nil
	})
	return result, nil, err
}

func (t *tunnel) configuration(account string) map[string]any {
	shown := map[string]any{
		"account_id": account, "tunnel_id": t.ID, "version": t.Version, "config": nil, "source": t.ConfigSrc,
		"created_at": optional(t.Configured),
	}
	if t.Config != nil {
		shown["config"], shown["source"] = t.Config, "cloudflare"
	} else {
		shown["created_at"] = stamp(t.CreatedAt)
	}
	return shown
}

// validate applies cloudflared's checks to the rules.
func (c *tunnelConfig) validate() error {
	for i, one := range c.Ingress {
		if err := one.validate(); err != nil {
			return err
		}
		all, last := one.matchesAll(), i == len(c.Ingress)-1
		switch {
		case last && !all:
			return badConfiguration(
				"The last ingress rule must match all URLs (i.e. it should not have a hostname or path filter)")
		case !last && all:
			return badConfiguration("Rule #%d is matching every URL, so the rules after it will never be triggered", i+1)
		}
	}
	return nil
}

func (r rule) matchesAll() bool { return (r.Hostname == "" || r.Hostname == "*") && r.Path == "" }

func (r rule) validate() error {
	switch {
	case strings.Contains(r.Hostname, ":"):
		return badConfiguration("Hostname cannot contain a port: %s", r.Hostname)
	case strings.LastIndex(r.Hostname, "*") > 0 || strings.HasPrefix(r.Hostname, "*") && r.Hostname != "*" && !strings.HasPrefix(r.Hostname, "*."):
		return badConfiguration("Hostname patterns can have at most one wildcard character, and only for subdomains, e.g. *.example.com")
	case r.Hostname != "" && r.Hostname != "*" && !isName(r.Hostname, true):
		return badConfiguration("%s is not a valid hostname", r.Hostname)
	}
	if _, err := regexp.Compile(r.Path); err != nil {
		return badConfiguration("the path is not a valid regular expression: %s", r.Path)
	}
	return validateService(r.Service)
}

// services are cloudflared's built-in services, schemes those of other services.
var (
	services = []string{"hello_world", "hello-world", "bastion", "socks-proxy"}
	schemes  = []string{"http", "https", "ws", "wss", "tcp", "ssh", "rdp", "smb"}
)

func validateService(service string) error {
	if code, ok := strings.CutPrefix(service, "http_status:"); ok {
		if status, err := strconv.Atoi(code); err != nil || status < 100 || status > 999 {
			return badConfiguration("%s is not a valid HTTP status code", code)
		}
		return nil
	}
	for _, socket := range []string{"unix:", "unix+tls:"} {
		if path, ok := strings.CutPrefix(service, socket); ok && path != "" {
			return nil
		}
	}
	if slices.Contains(services, service) {
		return nil
	}
	parsed, err := url.Parse(service)
	switch {
	case err != nil || parsed.Scheme == "" || parsed.Hostname() == "":
		return badConfiguration("%s is an invalid address, please make sure it has a scheme and a hostname", service)
	case parsed.Path != "":
		return badConfiguration("%s is an invalid address, ingress rules don't support proxying to a different path", service)
	case !slices.Contains(schemes, parsed.Scheme):
		return badConfiguration("%s has a scheme that is not supported", service)
	}
	return nil
}
