package supervisor

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
)

// Status is the answer to GET /status.
type Status struct {
	Stack   string    `json:"stack"`
	Pid     int       `json:"pid"`
	Started time.Time `json:"started"`
	// Ready means that every child is ready.
	Ready bool `json:"ready"`
	// Stopping means that all children are being stopped.
	Stopping bool    `json:"stopping"`
	Children []Child `json:"children"`
}

// Memory is the answer to GET /memory: that of the supervisor and its descendants. Shared memory counts once. To
// measure it takes the kernel a walk through all of it.
type Memory struct {
	Bytes int64 `json:"bytes"`
	// PeakBytes is the highest measurement so far, taken every ten seconds and at each request.
	PeakBytes int64 `json:"peakBytes"`
	Processes int   `json:"processes"`
}

func listen(address string) (net.Listener, error) {
	listener, err := net.Listen("tcp4", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, errors.New(busy(address))
	}
	return listener, err
}

// serve starts the HTTP server. The returned function ends it, after the answers under way.
func (s *supervisor) serve(listener net.Listener) (shutdown func()) {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /status", s.getStatus)
	routes.HandleFunc("GET /memory", s.getMemory)
	routes.HandleFunc("POST /stop", s.postStop)
	routes.HandleFunc("POST /restart/{child}", s.postRestart)
	server := &http.Server{Handler: s.authorized(routes), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Printf("serving %s: %v", s.lab.Supervisor.Address, err)
		}
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_ = server.Shutdown(ctx)
	}
}

func (s *supervisor) authorized(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if subtle.ConstantTimeCompare([]byte(token), []byte(s.token)) != 1 {
			http.Error(w, "send the content of supervisor.token in the lab's folder as a bearer token", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *supervisor) getStatus(w http.ResponseWriter, _ *http.Request) {
	status := Status{
		Stack: s.lab.Stack, Pid: os.Getpid(), Started: s.started, Ready: true, Children: []Child{},
	}
	select {
	case <-s.stopping:
		status.Stopping = true
	default:
	}
	for _, p := range s.parts {
		one := p.status()
		status.Ready = status.Ready && one.Ready
		status.Children = append(status.Children, one)
	}
	answer(w, http.StatusOK, status)
}

func (s *supervisor) getMemory(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, s.memory())
}

func (s *supervisor) postRestart(w http.ResponseWriter, r *http.Request) {
	for _, p := range s.parts {
		if p.name == r.PathValue("child") {
			log.Printf("%s is restarted on request", p.name)
			p.child.Restart()
			answer(w, http.StatusAccepted, map[string]string{"restarting": p.name})
			return
		}
	}
	http.Error(w, "the lab has no child "+r.PathValue("child"), http.StatusNotFound)
}

func (s *supervisor) postStop(w http.ResponseWriter, _ *http.Request) {
	log.Print("stopping on request")
	s.stop()
	answer(w, http.StatusOK, map[string]bool{"stopped": true})
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}
