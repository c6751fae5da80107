// Package faults injects faults into requests to a simulator, as a test or a person asks at /lab/faults.
package faults

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Path is where faults are added, listed and cleared.
const Path = "/lab/faults"

// bodyLimit is the maximum size of a list of faults, in bytes.
const bodyLimit = 1 << 20

// Values of Fault.Drop: the connection ends before or after the request is processed.
const (
	dropBefore = "before"
	dropAfter  = "after"
)

// Fault is a fault of coming requests. A request with only a delay is then processed as usual.
type Fault struct {
	// Path is a regular expression for the request's path. Method is its method. Empty values match all.
	Path   string `json:"path"`
	Method string `json:"method"`
	// Times is the number of requests to affect. 0 means one, a negative number all.
	Times int `json:"times"`
	// Status replaces the real answer if it is not 0, with Message as the reason.
	Status  int    `json:"status,omitempty"`
	Message string `json:"message,omitempty"`
	// RetryAfter is the value of the Retry-After header, in seconds.
	RetryAfter int `json:"retryAfter,omitempty"`
	// DelayMs is how long the request waits first, in milliseconds.
	DelayMs int `json:"delayMs,omitempty"`
	// Drop ends the connection without an answer, "before" or "after" the request is processed.
	Drop string `json:"drop,omitempty"`

	path *regexp.Regexp
}

func (f *Fault) prepare() error {
	var err error
	if f.path, err = regexp.Compile(f.Path); err != nil {
		return fmt.Errorf("path: %w", err)
	}
	if !slices.Contains([]string{"", dropBefore, dropAfter}, f.Drop) {
		return errors.New(`drop is neither "before" nor "after"`)
	}
	if f.Times == 0 {
		f.Times = 1
	}
	return nil
}

func (f *Fault) meets(method, path string) bool {
	return f.path.MatchString(path) && (f.Method == "" || strings.EqualFold(f.Method, method))
}

// Queue holds the faults that have not happened yet. Its zero value is empty.
type Queue struct {
	mu  sync.Mutex
	all []*Fault
}

// Add adds one fault or a list of faults, given as JSON. If one of them is invalid, it adds none.
func (q *Queue) Add(raw []byte) error {
	added, err := read(raw)
	if err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.all = append(q.all, added...)
	return nil
}

func read(raw []byte) ([]*Fault, error) {
	text := strings.TrimSpace(string(raw))
	if !strings.HasPrefix(text, "[") {
		text = "[" + text + "]"
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	var list []*Fault
	if err := decoder.Decode(&list); err != nil {
		return nil, fmt.Errorf("a fault is a JSON object with path, method, times, status, message, retryAfter, delayMs and drop: %w", err)
	}
	for _, one := range list {
		if err := one.prepare(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Clear removes all faults.
func (q *Queue) Clear() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.all = nil
}

// next removes and returns the first fault that matches a request, nil if none does.
func (q *Queue) next(r *http.Request) *Fault {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, one := range q.all {
		if !one.meets(r.Method, r.URL.Path) {
			continue
		}
		if one.Times > 0 {
			if one.Times--; one.Times == 0 {
				q.all = slices.Delete(q.all, i, i+1)
			}
		}
		return one
	}
	return nil
}

// Inject applies the faults to requests before next serves them. refuse writes an error in the service's form.
func (q *Queue) Inject(next http.Handler, refuse func(http.ResponseWriter, *Fault)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		met := q.next(r)
		if met == nil {
			next.ServeHTTP(w, r)
			return
		}
		select {
		case <-time.After(time.Duration(met.DelayMs) * time.Millisecond):
		case <-r.Context().Done():
			return
		}
		switch {
		case met.Drop == dropAfter:
			next.ServeHTTP(&discarded{header: http.Header{}}, r)
			panic(http.ErrAbortHandler)
		case met.Drop == dropBefore:
			panic(http.ErrAbortHandler)
		case met.Status != 0:
			refuse(w, met)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// ServeHTTP adds faults (POST), lists them (GET) and clears them (DELETE).
func (q *Queue) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPost:
		raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
		if err == nil {
			err = q.Add(raw)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	case http.MethodGet:
		q.mu.Lock()
		defer q.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(append([]*Fault{}, q.all...))
	case http.MethodDelete:
		q.Clear()
		w.WriteHeader(http.StatusNoContent)
	default:
		http.Error(w, "faults are added by POST, listed by GET and forgotten by DELETE", http.StatusMethodNotAllowed)
	}
}

// discarded is a ResponseWriter that discards the answer.
type discarded struct{ header http.Header }

func (d *discarded) Header() http.Header         { return d.header }
func (d *discarded) Write(p []byte) (int, error) { return len(p), nil }
func (d *discarded) WriteHeader(int)             {}
