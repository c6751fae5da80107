package cloudflare

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// tokenForm matches the format of an API token.
var tokenForm = regexp.MustCompile(`^[A-Za-z0-9_-]{40,80}$`)

// permissionGroups are the dashboard's groups, for which a token has permissions as GROUP:Read and GROUP:Edit.
var permissionGroups = []string{
	"Account.Account Settings", "Account.Cloudflare Tunnel", "Zone.DNS", "Zone.Zone", "Zone.Zone Settings",
}

// checkPermissions refuses unknown permissions. Otherwise a misspelt one would look like a missing one.
func checkPermissions(given []string) error {
	for _, one := range given {
		group, access, _ := strings.Cut(one, ":")
		if !slices.Contains(permissionGroups, group) || access != "Read" && access != "Edit" {
			return fmt.Errorf("cloudflare.permissions: %q is unknown; give GROUP:Read or GROUP:Edit with one of the groups %s",
				one, strings.Join(permissionGroups, ", "))
		}
	}
	return nil
}

// authenticated serves requests with the right token, within the rate limit.
func (a *api) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := a.authenticate(r); err != nil {
			writeError(w, err)
			return
		}
		if err := a.limit.take(w.Header()); err != nil {
			writeError(w, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (a *api) authenticate(r *http.Request) error {
	header := r.Header.Get("Authorization")
	if header == "" && r.Header.Get("X-Auth-Key") == "" {
		return refuse(http.StatusBadRequest, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")
	}
	if header == "" {
		return refuse(http.StatusBadRequest, 6003, "Invalid request headers",
			message{Code: 6103, Message: "Invalid format for X-Auth-Key header"})
	}
	token, bearer := strings.CutPrefix(header, "Bearer ")
	if bearer && token != "" && subtle.ConstantTimeCompare([]byte(token), []byte(a.config.Token)) == 1 {
		return nil
	}
	switch {
	case !bearer || !tokenForm.MatchString(token):
		return refuse(http.StatusBadRequest, 6003, "Invalid request headers",
			message{Code: 6111, Message: "Invalid format for Authorization header"})
	case strings.HasPrefix(r.URL.Path, prefix+"/user/tokens/"):
		return refuse(http.StatusUnauthorized, 1000, "Invalid API Token")
	case strings.HasPrefix(r.URL.Path, prefix+"/zones"):
		return refuse(http.StatusForbidden, 9109, "Invalid access token")
	}
	return refuse(http.StatusUnauthorized, 10000, "Authentication error")
}

// authorize refuses requests without the permission, and requests to other accounts and zones.
func (a *api) authorize(permission string, r *http.Request) error {
	denied := refuse(http.StatusForbidden, 10000, "Authentication error")
	if permission == "Zone.Zone:Read" {
		denied = refuse(http.StatusForbidden, 9109, "Unauthorized to access requested resource")
		if r.PathValue("zone") == "" {
			denied = refuse(http.StatusForbidden, 0, "Actor 'com.cloudflare.api.token."+a.tokenID()+
				"' requires permission 'com.cloudflare.api.account.zone.list' to list zones")
		}
	}
	if !a.may(permission) {
		return denied
	}
	if account := r.PathValue("account"); account != "" && account != a.config.Account {
		return denied
	}
	if zone := r.PathValue("zone"); zone != "" && a.zoneName(zone) == "" {
		if permission == "Zone.Zone:Read" {
			return refuse(http.StatusNotFound, 1001, "Invalid zone identifier")
		}
		return denied
	}
	return nil
}

// may reports whether the token has a permission. Edit includes Read.
func (a *api) may(permission string) bool {
	group, read := strings.CutSuffix(permission, ":Read")
	return permission == "" || slices.Contains(a.config.Permissions, permission) ||
		read && slices.Contains(a.config.Permissions, group+":Edit")
}

// tokenID identifies the token without revealing it.
func (a *api) tokenID() string {
	sum := sha256.Sum256([]byte("token " + a.config.Token))
	return hex.EncodeToString(sum[:16])
}

func (a *api) zoneName(id string) string {
	for name, zone := range a.config.Zones {
		if zone == id {
			return name
		}
	}
	return ""
}

func (a *api) verifyToken(*http.Request) (any, *page, error) {
	return map[string]string{"id": a.tokenID(), "status": "active"}, nil, nil
}
