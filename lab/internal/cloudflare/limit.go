package cloudflare

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

const (
	window          = 5 * time.Minute
	requestsAllowed = 1200
)

// limit counts the requests in a window. Source: Cloudflare's fundamentals, "API rate limits".
type limit struct {
	allowed int

	mu    sync.Mutex
	since time.Time
	used  int
	total int
}

func newLimit(allowed int) *limit {
	if allowed <= 0 {
		allowed = requestsAllowed
	}
	return &limit{allowed: allowed, since: time.Now()}
}

// take counts a request. Above the limit it refuses until the window ends.
func (l *limit) take(header http.Header) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.since) >= window {
		l.since, l.used = time.Now(), 0
	}
	l.used++
	l.total++
	remaining := int(time.Until(l.since.Add(window)).Seconds()) + 1
	header.Set("Ratelimit", fmt.Sprintf(`"default";r=%d;t=%d`, max(l.allowed-l.used, 0), remaining))
	header.Set("Ratelimit-Policy", fmt.Sprintf(`"default";q=%d;w=%d`, l.allowed, int(window.Seconds())))
	if l.used <= l.allowed {
		return nil
	}
	no := refuse(http.StatusTooManyRequests, 971, fmt.Sprintf("More than %d requests per %d seconds reached. "+
		"Please wait and consider throttling your request speed", l.allowed, int(window.Seconds())))
	no.retryAfter = remaining
	return no
}

func (l *limit) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total
}
