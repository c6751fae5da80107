package cloudflare

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// fault is something that goes wrong with some requests.
type fault struct {
	// Path is a regular expression for the request's path, Method its method; empty ones match all.
	Path   string `json:"path"`
	Method string `json:"method"`
	// Times is how many requests it hits, one when zero.
	Times int `json:"times"`
	// Status is answered instead of the real answer, where it is not zero, with RetryAfter seconds.
	Status     int `json:"status,omitempty"`
	RetryAfter int `json:"retryAfter,omitempty"`
	// DelayMs is how long the request waits first.
	DelayMs int `json:"delayMs,omitempty"`
	// Drop ends the connection without an answer: "before" doing what was asked, or "after".
	Drop string `json:"drop,omitempty"`

	path *regexp.Regexp
}

// faults are those still to come.
type faults struct {
	mu  sync.Mutex
	all []*fault
}

// next takes the first fault that a request meets.
func (f *faults) next(r *http.Request) *fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, one := range f.all {
		if one.path.MatchString(r.URL.Path) && (one.Method == "" || strings.EqualFold(one.Method, r.Method)) {
			if one.Times--; one.Times <= 0 {
				f.all = slices.Delete(f.all, i, i+1)
			}
			return one
		}
	}
	return nil
}

// inject makes requests meet their faults before next answers them.
func (f *faults) inject(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		met := f.next(r)
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
		case met.Drop == "after":
			next.ServeHTTP(&discarded{header: http.Header{}}, r)
			panic(http.ErrAbortHandler)
		case met.Drop != "":
			panic(http.ErrAbortHandler)
		case met.Status != 0:
			no := refuse(met.Status, 10001, "Unable to handle the request ("+http.StatusText(met.Status)+")")
			if met.Status == http.StatusTooManyRequests {
				no = refuse(met.Status, 971, "Please wait and consider throttling your request speed")
			}
			no.retryAfter = met.RetryAfter
			writeError(w, no)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// add takes faults from the body of a request.
func (f *faults) add(w http.ResponseWriter, r *http.Request) {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	one := &fault{}
	if err := decoder.Decode(one); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	compiled, err := regexp.Compile(one.Path)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !slices.Contains([]string{"", "before", "after"}, one.Drop) {
		http.Error(w, `drop is neither "before" nor "after"`, http.StatusBadRequest)
		return
	}
	one.path, one.Times = compiled, max(one.Times, 1)
	f.mu.Lock()
	f.all = append(f.all, one)
	f.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

func (f *faults) clear(w http.ResponseWriter, _ *http.Request) {
	f.mu.Lock()
	f.all = nil
	f.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

// discarded is an answer that nobody gets.
type discarded struct{ header http.Header }

func (d *discarded) Header() http.Header         { return d.header }
func (d *discarded) Write(p []byte) (int, error) { return len(p), nil }
func (d *discarded) WriteHeader(int)             {}
