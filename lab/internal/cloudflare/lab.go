package cloudflare

import (
	"encoding/json"
	"net/http"
	"slices"

	"hearth.dev/lab/internal/faults"
)

// overview is the simulator's state for the lab.
type overview struct {
	// Tunnels and Records are their numbers, without deleted ones.
	Tunnels int `json:"tunnels"`
	Records int `json:"records"`
	// Requests is the number of authenticated requests since the start.
	Requests int `json:"requests"`
	// TunnelNames and RecordNames identify them. A record's name consists of its type and full name.
	TunnelNames []string `json:"tunnelNames"`
	RecordNames []string `json:"recordNames"`
}

// labRoutes adds the endpoints for the lab and its tests, which Cloudflare does not have.
func (a *api) labRoutes(mux *http.ServeMux) {
	mux.Handle(faults.Path, &a.faults)
	mux.HandleFunc("GET /lab/state", a.overview)
	mux.HandleFunc("POST /lab/connections", a.connect)
}

func (a *api) overview(w http.ResponseWriter, _ *http.Request) {
	held, err := a.store.read()
	if err != nil {
		writeError(w, err)
		return
	}
	seen := overview{Requests: a.limit.count(), TunnelNames: []string{}, RecordNames: []string{}}
	for _, one := range held.Tunnels {
		if one.DeletedAt == nil {
			seen.TunnelNames = append(seen.TunnelNames, one.Name)
		}
	}
	for _, one := range held.Records {
		seen.RecordNames = append(seen.RecordNames, one.Type+" "+one.Name)
	}
	slices.Sort(seen.TunnelNames)
	slices.Sort(seen.RecordNames)
	seen.Tunnels, seen.Records = len(seen.TunnelNames), len(seen.RecordNames)
	writeJSON(w, http.StatusOK, seen)
}

// connect sets the number of a tunnel's connections, as if cloudflared had opened or closed them.
func (a *api) connect(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Tunnel      string `json:"tunnel"`
		Connections int    `json:"connections"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	err := a.store.change(func(held *contents) error {
		found := held.Tunnels[body.Tunnel]
		if found == nil || found.DeletedAt != nil {
			return errNoTunnel()
		}
		found.connect(body.Connections)
		return nil
	})
	if err != nil {
		writeError(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
