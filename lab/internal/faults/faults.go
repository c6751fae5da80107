// Package faults makes requests to a simulator go wrong, as a test or a person asks for at /lab/faults.
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

// Path is where faults are added, listed and forgotten.
const Path = "/lab/faults"

// bodyLimit is the largest list of faults that is read, in bytes.
const bodyLimit = 1 << 20

// When the connection ends that a fault drops: before what was asked is done, or after.
const (
	dropBefore = "before"
	dropAfter  = "after"
)

// Fault is something that goes wrong with coming requests. One that has only a delay lets them go on afterwards.
type Fault struct {
	// Path is a regular expression for the request's path, Method its method; empty ones match all.
	Path   string `json:"path"`
	Method string `json:"method"`
	// Times is how many requests it happens to; 0 means one, a negative number all.
	Times int `json:"times"`
	// Status is answered instead of the real answer, where it is not 0, with Message as the reason.
	Status  int    `json:"status,omitempty"`
	Message string `json:"message,omitempty"`
	// RetryAfter is the answer's header of that name, in seconds.
	RetryAfter int `json:"retryAfter,omitempty"`
	// DelayMs is how long the request waits first, in milliseconds.
	DelayMs int `json:"delayMs,omitempty"`
	// Drop ends the connection without an answer: "before" doing what was asked, or "after".
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

// Queue holds the faults that are still to happen. Its zero value is empty.
type Queue struct {
	mu  sync.Mutex
	all []*Fault
}

// Add takes one fault or a list of them as JSON. Nothing is taken where one of them is wrong.
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

// Clear forgets all faults.
func (q *Queue) Clear() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.all = nil
}

// next takes the first fault that a request meets; nil where it meets none.
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

// Inject makes requests meet their faults before next answers them; refuse answers in the service's own form.
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

// ServeHTTP lets a person or a test add faults (POST), list them (GET) and forget them (DELETE).
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

// discarded is an answer that nobody gets.
type discarded struct{ header http.Header }

func (d *discarded) Header() http.Header         { return d.header }
func (d *discarded) Write(p []byte) (int, error) { return len(p), nil }
func (d *discarded) WriteHeader(int)             {}
