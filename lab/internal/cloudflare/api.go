package cloudflare

import (
	"fmt"
	"log"
	"net/http"
	"regexp"
	"strings"
	"time"

	"hearth.dev/lab/internal/faults"
	"hearth.dev/lab/internal/labconfig"
)

const prefix = "/client/v4"

// api serves the simulated API.
type api struct {
	config labconfig.Cloudflare
	store  *store
	limit  *limit
	faults faults.Queue
	since  time.Time
}

func newAPI(config labconfig.Cloudflare, held *store) http.Handler {
	a := &api{config: config, store: held, limit: newLimit(config.RequestsPerFiveMinutes), since: time.Now()}
	simulated := http.NewServeMux()
	for pattern, route := range a.routes() {
		method, path, _ := strings.Cut(pattern, " ")
		simulated.Handle(method+" "+prefix+path, a.permitted(route))
	}
	simulated.HandleFunc("/", a.noRoute)
	all := http.NewServeMux()
	a.labRoutes(all)
	all.Handle("/", a.faults.Inject(a.authenticated(simulated), refuseFault))
	return logged(all)
}

// refuseFault answers in Cloudflare's words.
func refuseFault(w http.ResponseWriter, met *faults.Fault) {
	no := refuse(met.Status, 10001, "Unable to handle the request ("+http.StatusText(met.Status)+")")
	if met.Status == http.StatusTooManyRequests {
		no = refuse(met.Status, 971, "Please wait and consider throttling your request speed")
	}
	no.retryAfter = met.RetryAfter
	writeError(w, no)
}

// route is an endpoint with its requirements.
type route struct {
	// permission is GROUP:Read or GROUP:Edit. Empty allows any valid token.
	permission string
	answer     endpoint
}

func (a *api) routes() map[string]route {
	const (
		zone, dnsRead, dnsEdit = "Zone.Zone:Read", "Zone.DNS:Read", "Zone.DNS:Edit"
		tunnelRead, tunnelEdit = "Account.Cloudflare Tunnel:Read", "Account.Cloudflare Tunnel:Edit"
	)
	return map[string]route{
		"GET /user/tokens/verify": {"", a.verifyToken},
		"GET /accounts":           {"", a.listAccounts},
		"GET /accounts/{account}": {"", a.getAccount},
		"GET /zones":              {zone, a.listZones},
		"GET /zones/{zone}":       {zone, a.getZone},

		"GET /zones/{zone}/dns_records":             {dnsRead, a.listRecords},
		"POST /zones/{zone}/dns_records":            {dnsEdit, a.createRecord},
		"GET /zones/{zone}/dns_records/{record}":    {dnsRead, a.getRecord},
		"PUT /zones/{zone}/dns_records/{record}":    {dnsEdit, a.overwriteRecord},
		"PATCH /zones/{zone}/dns_records/{record}":  {dnsEdit, a.editRecord},
		"DELETE /zones/{zone}/dns_records/{record}": {dnsEdit, a.deleteRecord},

		"GET /accounts/{account}/cfd_tunnel":                         {tunnelRead, a.listTunnels},
		"POST /accounts/{account}/cfd_tunnel":                        {tunnelEdit, a.createTunnel},
		"GET /accounts/{account}/cfd_tunnel/{tunnel}":                {tunnelRead, a.getTunnel},
		"PATCH /accounts/{account}/cfd_tunnel/{tunnel}":              {tunnelEdit, a.editTunnel},
		"DELETE /accounts/{account}/cfd_tunnel/{tunnel}":             {tunnelEdit, a.deleteTunnel},
		"GET /accounts/{account}/cfd_tunnel/{tunnel}/token":          {tunnelEdit, a.getTunnelToken},
		"GET /accounts/{account}/cfd_tunnel/{tunnel}/connections":    {tunnelRead, a.listConnections},
		"DELETE /accounts/{account}/cfd_tunnel/{tunnel}/connections": {tunnelEdit, a.cleanConnections},
		"GET /accounts/{account}/cfd_tunnel/{tunnel}/configurations": {tunnelRead, a.getConfiguration},
		"PUT /accounts/{account}/cfd_tunnel/{tunnel}/configurations": {tunnelEdit, a.putConfiguration},
	}
}

// identifiers are the formats of the variable parts of paths.
var identifiers = map[string]*regexp.Regexp{
	"zone": regexp.MustCompile(`^[0-9a-f]{32}$`), "record": regexp.MustCompile(`^[0-9a-f]{32}$`),
	"account": regexp.MustCompile(`^[0-9a-f]{32}$`),
	"tunnel":  regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`),
}

// permitted serves a request only if its identifiers are well-formed, the token has the permission, and the account and
// zone are the token's.
func (a *api) permitted(to route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, form := range identifiers {
			if value := r.PathValue(name); value != "" && !form.MatchString(value) {
				a.noRoute(w, r)
				return
			}
		}
		if err := a.authorize(to.permission, r); err != nil {
			writeError(w, err)
			return
		}
		to.answer.ServeHTTP(w, r)
	})
}

func (a *api) noRoute(w http.ResponseWriter, r *http.Request) {
	where := strings.TrimPrefix(r.URL.Path, prefix)
	no := refuse(http.StatusNotFound, 7003,
		fmt.Sprintf("Could not route to %s, perhaps your object identifier is invalid?", where))
	no.messages = append(no.messages, message{Code: 7000, Message: "No route for that URI"})
	writeError(w, no)
}

// recorder records the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (w *recorder) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// logged logs one line per request, without headers, query and body.
func logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen, start := &recorder{w, http.StatusOK}, time.Now()
		next.ServeHTTP(seen, r)
		log.Printf("%s %s %d %s", r.Method, r.URL.Path, seen.status, time.Since(start).Round(time.Millisecond))
	})
}
