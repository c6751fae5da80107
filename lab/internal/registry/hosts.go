package registry

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"

	"github.com/google/go-containerregistry/pkg/registry"

	"hearth.dev/lab/internal/factory"
)

// hosts serves for each public name what that registry has. For any other name, such as the lab's address, it serves
// everything.
type hosts struct {
	// indexed maps hosts and paths to the files of chart indexes.
	indexed    map[string][]byte
	byName     map[string]http.Handler
	everything http.Handler
	// factory is the Image Factory, which is also a registry of installer images.
	factory http.Handler
}

func newHosts(charts []publication, names []string, images http.Handler) (*hosts, error) {
	all, err := filled(charts, func(publication) bool { return true })
	if err != nil {
		return nil, err
	}
	h := &hosts{byName: map[string]http.Handler{}, everything: all, factory: images}
	if h.indexed, err = indexes(charts); err != nil {
		return nil, err
	}
	for _, each := range charts {
		if !slices.Contains(names, each.host) {
			return nil, fmt.Errorf("internet.registries lacks %s, where %s is published", each.host, each.repository)
		}
	}
	for _, name := range names {
		if h.byName[name], err = filled(charts, func(p publication) bool { return p.host == name }); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// filled returns a registry with the publications that pass accepts.
func filled(charts []publication, pass func(publication) bool) (http.Handler, error) {
	quiet := log.New(io.Discard, "", 0)
	handler := registry.New(registry.Logger(quiet), registry.WithReferrersSupport(true))
	for _, each := range charts {
		if each.index || !pass(each) {
			continue
		}
		if err := push(handler, each.repository, each.chart); err != nil {
			return nil, fmt.Errorf("publishing %s: %w", each.repository, err)
		}
	}
	return handler, nil
}

// ServeHTTP serves only reads, because the lab does not own the public registries. The factory also accepts schematics.
func (h *hosts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.Host
	if host, _, err := net.SplitHostPort(r.Host); err == nil {
		name = host
	}
	if name == factory.Host {
		h.factory.ServeHTTP(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintln(w, `{"errors":[{"code":"UNAUTHORIZED","message":"access to the requested resource is not authorized"}]}`)
		return
	}
	if content, indexed := h.indexed[name+r.URL.Path]; indexed {
		_, _ = w.Write(content)
		log.Printf("registry: %s %s%s %d", r.Method, name, r.URL.Path, http.StatusOK)
		return
	}
	handler, known := h.byName[name]
	if !known {
		handler = h.everything
	}
	answer := &recorder{ResponseWriter: w, status: http.StatusOK}
	handler.ServeHTTP(answer, r)
	log.Printf("registry: %s %s%s %d", r.Method, name, r.URL.Path, answer.status)
}

// recorder records the status for the log.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}
