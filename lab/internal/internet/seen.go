package internet

import (
	"log"
	"maps"
	"slices"
	"sync"
	"time"
)

// seen records when each host was last logged, so that a busy client does not fill the log.
type seen struct {
	mu   sync.Mutex
	last map[string]time.Time
}

// logEvery is the minimum interval between log lines with the same host and outcome.
const logEvery = time.Minute

func newSeen() *seen { return &seen{last: map[string]time.Time{}} }

// first reports whether key has not been seen in the last minute.
func (s *seen) first(key string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.last[key]) < logEvery {
		return false
	}
	if len(s.last) >= 1000 {
		maps.DeleteFunc(s.last, func(_ string, at time.Time) bool { return now.Sub(at) >= logEvery })
	}
	s.last[key] = now
	return true
}

func (p *Proxy) note(host, outcome string) {
	if p.seen.first(host+" "+outcome, time.Now()) {
		log.Printf("%s %s", host, outcome)
	}
}

func (p *Proxy) hosts() []string { return slices.Sorted(maps.Keys(p.upstreams)) }
