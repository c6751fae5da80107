package proxmox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"sync"
	"time"
)

// fault makes coming requests go wrong. Requests that it does not answer itself (a delay alone) go on normally.
type fault struct {
	// Path is a regular expression that the request's path must match; empty matches all.
	Path string `json:"path"`
	// Method must be the request's; empty matches all.
	Method string `json:"method"`
	// Status is answered instead of an answer, with Message as the reason; 0 answers normally.
	Status  int    `json:"status"`
	Message string `json:"message"`
	// Times is how many requests it happens to; 0 means one, a negative number all.
	Times int `json:"times"`
	// DelayMs is how long the request waits first, in milliseconds.
	DelayMs int `json:"delayMs"`
	// Drop closes the connection without an answer.
	Drop bool `json:"drop"`

	pattern *regexp.Regexp
}

type faults struct {
	mu  sync.Mutex
	all []*fault
}

// next gives the fault that happens to the request, if one does.
func (f *faults) next(r *http.Request) *fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, candidate := range f.all {
		if candidate.Method != "" && candidate.Method != r.Method || !candidate.pattern.MatchString(r.URL.Path) {
			continue
		}
		if candidate.Times > 0 {
			if candidate.Times--; candidate.Times == 0 {
				f.all = append(f.all[:i:i], f.all[i+1:]...)
			}
		}
		return candidate
	}
	return nil
}

// happen does what the fault says and tells whether the request is thereby over.
func (f *fault) happen(w http.ResponseWriter) bool {
	time.Sleep(time.Duration(f.DelayMs) * time.Millisecond)
	if f.Drop {
		if connection, _, err := w.(http.Hijacker).Hijack(); err == nil {
			_ = connection.Close()
		}
		return true
	}
	if f.Status != 0 {
		refuse(w, &apiError{status: f.Status, message: f.Message})
		return true
	}
	return false
}

// add takes one fault or a list of them as JSON.
func (f *faults) add(raw []byte) error {
	var list []*fault
	if err := json.Unmarshal(raw, &list); err != nil {
		one := &fault{}
		if err := json.Unmarshal(raw, one); err != nil {
			return fmt.Errorf("a fault is a JSON object with path, method, status, message, times, delayMs and drop: %w", err)
		}
		list = []*fault{one}
	}
	for _, one := range list {
		pattern, err := regexp.Compile(one.Path)
		if err != nil {
			return fmt.Errorf("path: %w", err)
		}
		one.pattern = pattern
		if one.Times == 0 {
			one.Times = 1
		}
		if one.Message == "" {
			one.Message = "injected fault"
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, list...)
	return nil
}
