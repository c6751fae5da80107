package proxmox

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// rootUser is the only user with a password.
const rootUser = "root@pam"

// ticketLifetime is how long a user stays signed in. Source: pve-access-control 9.1.1, PVE/AccessControl.pm.
const ticketLifetime = 2 * time.Hour

// tickets signs the tickets of users, and the tokens by which a browser proves that it meant to change something. The form is that of
// pve-common, PVE/Ticket.pm; the signature is not.
type tickets struct{ key []byte }

func newTickets() tickets {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	return tickets{key}
}

func (t tickets) sign(text string) string {
	mac := hmac.New(sha256.New, t.key)
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func (t tickets) ticket(user string, at time.Time) string {
	text := fmt.Sprintf("PVE:%s:%08X", user, at.Unix())
	return text + "::" + t.sign(text)
}

func (t tickets) csrfToken(user string, at time.Time) string {
	stamp := fmt.Sprintf("%08X", at.Unix())
	return stamp + ":" + t.sign("CSRF:"+user+":"+stamp)
}

// authenticate returns the user of a request's ticket.
func (t tickets) authenticate(r *http.Request) (string, error) {
	cookie, err := r.Cookie("PVEAuthCookie")
	if err != nil {
		return "", unauthorized("No ticket")
	}
	text, signature, _ := strings.Cut(cookie.Value, "::")
	parts := strings.Split(text, ":")
	if len(parts) != 3 || !isEqual(signature, t.sign(text)) || !isRecent(parts[2]) {
		return "", unauthorized("permission denied - invalid PVE ticket")
	}
	user := parts[1]
	if r.Method != http.MethodGet {
		stamp, token, _ := strings.Cut(r.Header.Get("CSRFPreventionToken"), ":")
		if !isEqual(token, t.sign("CSRF:"+user+":"+stamp)) || !isRecent(stamp) {
			return "", unauthorized("Permission denied - invalid csrf token")
		}
	}
	return user, nil
}

func isEqual(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func isRecent(stamp string) bool {
	at, err := strconv.ParseInt(stamp, 16, 64)
	return err == nil && time.Since(time.Unix(at, 0)) < ticketLifetime
}

// isSignIn says whether a request needs no ticket. Source: pve-manager 9.2.11, PVE/HTTPServer.pm, auth_handler.
func isSignIn(method string, path []string) bool {
	return method == http.MethodPost && slices.Equal(path, []string{"access", "ticket"})
}

func (c *call) isRoot() bool { return c.token == rootUser }

// createTicket signs a user in. It says of no failure which one it is.
func createTicket(c *call) (any, error) {
	user := c.str("username")
	if c.has("realm") {
		user += "@" + c.str("realm")
	}
	password := c.lab.Proxmox.Password
	if user != rootUser || password == "" || !isEqual(c.str("password"), password) {
		return nil, unauthorized("authentication failure")
	}
	now := time.Now()
	return map[string]any{"username": user, "ticket": c.tickets.ticket(user, now), "CSRFPreventionToken": c.tickets.csrfToken(user, now)}, nil
}
