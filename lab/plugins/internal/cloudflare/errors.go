package cloudflare

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	attempts    = 5
	firstWait   = 500 * time.Millisecond
	longestWait = time.Minute
)

// message is one of an answer's errors.
type message struct {
	Code    int       `json:"code"`
	Message string    `json:"message"`
	Chain   []message `json:"error_chain"`
}

func (m message) String() string {
	text := fmt.Sprintf("%s (%d)", strings.TrimSuffix(m.Message, "."), m.Code)
	for _, cause := range m.Chain {
		text += ": " + cause.String()
	}
	return text
}

// refusal is an answer with an error status.
type refusal struct {
	status   int
	messages []message
}

func (r *refusal) Error() string {
	said := make([]string, 0, len(r.messages))
	for _, one := range r.messages {
		said = append(said, one.String())
	}
	if len(said) == 0 {
		said = append(said, http.StatusText(r.status))
	}
	return fmt.Sprintf("Cloudflare answers %d: %s; %s", r.status, strings.Join(said, ", "), r.advice())
}

func (r *refusal) code() int {
	if len(r.messages) == 0 {
		return 0
	}
	return r.messages[0].Code
}

// advice says what to do about the refusal.
func (r *refusal) advice() string {
	switch code := r.code(); {
	case code == 9106, code == 6003:
		return "set cloudflare:apiToken to an API token of 40 characters"
	case code == 1000 && r.status == http.StatusUnauthorized, code == 9109, r.status == http.StatusUnauthorized:
		return "the API token is wrong, revoked or expired: set cloudflare:apiToken to a valid one"
	case code == 10000, r.status == http.StatusForbidden:
		return "give the API token permission for this, on this account or zone"
	case code == 81053, code == 81054:
		return "remove the record of that name, or give this one another name"
	case code == 81057, code == 81058:
		return "import the record with the ID ZONE/RECORD, or remove it"
	case code == 1013:
		return "import the tunnel with the ID ACCOUNT/TUNNEL, delete it, or choose another name"
	case code == 1022:
		return "stop the tunnel's connectors (cloudflared) and try again"
	case code == 1056:
		return "correct the tunnel's ingress rules"
	case r.status == http.StatusNotFound:
		return "it is gone or its ID is wrong: run `pulumi refresh`"
	case r.status == http.StatusTooManyRequests:
		return "wait a few minutes and try again"
	case r.status >= 500:
		return "see https://www.cloudflarestatus.com and try again"
	}
	return "correct what it names and try again"
}

// unreachable means that a request got no answer.
type unreachable struct {
	host  string
	cause error
}

func (u *unreachable) Unwrap() error { return u.cause }

func (u *unreachable) Error() string {
	return fmt.Sprintf("no answer from %s: %v; check the network and HTTPS_PROXY, and try again", u.host, u.cause)
}

// again returns how long to wait before the next attempt, or the error if no attempt remains. wait is the delay that
// the answer asked for.
func again(attempt int, wait time.Duration, err error) (time.Duration, error) {
	var no *refusal
	retry := errors.As(err, &no) && (no.status == http.StatusTooManyRequests || no.status >= 500)
	var silent *unreachable
	retry = retry || errors.As(err, &silent) && !errors.Is(err, context.Canceled)
	if !retry || attempt+1 >= attempts || wait > longestWait {
		return 0, err
	}
	if wait == 0 {
		wait = firstWait << attempt
		wait += time.Duration(rand.Int64N(int64(wait / 4)))
	}
	return wait, nil
}

// retryAfter returns the delay that the answer asks for, given in seconds or as a date.
func retryAfter(header http.Header) time.Duration {
	value := header.Get("Retry-After")
	if seconds, err := strconv.ParseFloat(value, 64); err == nil && seconds > 0 {
		return time.Duration(seconds * float64(time.Second))
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(time.Until(at), 0)
	}
	return 0
}
