// Package internet is a forward proxy that simulates the Internet. It knows only the hosts that the lab simulates, and
// the lab's own loopback addresses.
package internet

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"strings"
	"time"

	"hearth.dev/lab/internal/factory"
	"hearth.dev/lab/internal/labconfig"
)

// dialTimeout is how long an upstream may take to accept. All upstreams are on this machine.
const dialTimeout = 10 * time.Second

// Proxy is the forward proxy.
type Proxy struct {
	upstreams map[string]string
	seen      *seen
	loopback  *httputil.ReverseProxy
	ctx       context.Context
}

// Serve runs the proxy of a lab until ctx ends.
func Serve(ctx context.Context, lab *labconfig.Lab) error {
	listener, err := net.Listen("tcp4", lab.Internet.Proxy)
	if err != nil {
		return err
	}
	proxy := &Proxy{
		upstreams: upstreams(lab), seen: newSeen(), ctx: ctx,
		loopback: &httputil.ReverseProxy{
			Rewrite:   func(r *httputil.ProxyRequest) { r.Out.Host = r.In.Host },
			Transport: &http.Transport{DialContext: (&net.Dialer{Timeout: dialTimeout}).DialContext},
			ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
				http.Error(w, fmt.Sprintf("nothing answers at %s: %s", r.URL.Host, cause(err)), http.StatusBadGateway)
			},
		},
	}
	server := &http.Server{Handler: proxy, ReadHeaderTimeout: 10 * time.Second}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	log.Printf("the simulated internet is at %s with the hosts %s", lab.Internet.Proxy, strings.Join(proxy.hosts(), ", "))
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// upstreams maps each public host name to its simulator's address. The port is always 443.
func upstreams(lab *labconfig.Lab) map[string]string {
	table := map[string]string{}
	if lab.Cloudflare.Address != "" {
		table["api.cloudflare.com"] = lab.Cloudflare.Address
	}
	if lab.Bucket.Address != "" {
		table[normal(lab.Bucket.Host)] = lab.Bucket.Address
	}
	if lab.Internet.Registry != "" {
		table[factory.Host] = lab.Internet.Registry
		for _, host := range lab.Internet.Registries {
			table[normal(host)] = lab.Internet.Registry
		}
	}
	return table
}

func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodConnect:
		p.connect(w, r)
	case !r.URL.IsAbs():
		http.Error(w, "this is the lab's forward proxy; set it as HTTPS_PROXY", http.StatusBadRequest)
	case r.URL.Scheme == "http" && loopback(r.URL.Hostname()):
		p.note(r.URL.Host, "loopback")
		p.loopback.ServeHTTP(w, r)
	default:
		p.note(r.URL.Host, "refused")
		http.Error(w, refusal(r.URL.Host), http.StatusForbidden)
	}
}

// upstream returns the address for a CONNECT to host:port, empty if the lab does not simulate it.
func (p *Proxy) upstream(target string) string {
	host, port, err := net.SplitHostPort(target)
	switch {
	case err != nil:
		return ""
	case loopback(host):
		return target
	case port == "443":
		return p.upstreams[normal(host)]
	}
	return ""
}

// loopback reports whether host is a literal address in 127.0.0.0/8. The proxy resolves no names.
func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && address.Is4() && address.IsLoopback()
}

func normal(host string) string { return strings.TrimSuffix(strings.ToLower(host), ".") }

// refusal names the host, without a default port.
func refusal(target string) string {
	return "the lab does not simulate " + strings.TrimSuffix(strings.TrimSuffix(target, ":443"), ":80")
}

// cause returns the innermost reason of a network error, without the addresses of connections.
func cause(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}
