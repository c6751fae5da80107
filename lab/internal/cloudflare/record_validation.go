package cloudflare

import (
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

const (
	leastTTL = 60
	mostTTL  = 86400
)

var (
	label     = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$`)
	plain     = []string{"A", "AAAA", "CNAME", "MX", "NS", "OPENPGPKEY", "PTR", "TXT"}
	switching = []string{"flatten_cname", "ipv4_only", "ipv6_only"}
)

func invalid(code int, text string) error { return refuse(http.StatusBadRequest, code, text) }

// validate checks a record as the API does, and sets derived fields.
func (r *record) validate() error {
	switch {
	case !slices.Contains(plain, r.Type) && components[r.Type] == nil:
		return refuse(http.StatusBadRequest, 1004, "DNS Validation Error", message{Code: 9020, Message: "Invalid DNS record type"})
	case !isName(r.Name, true):
		return refuse(http.StatusBadRequest, 1004, "DNS Validation Error", message{Code: 9000, Message: "DNS name is invalid."})
	case r.TTL != 1 && (r.TTL < leastTTL || r.TTL > mostTTL):
		return invalid(9021, "Invalid TTL. Must be between 60 and 86,400 seconds, or 1 for Automatic.")
	case len(r.Tags) > 0:
		return invalid(9300, fmt.Sprintf("DNS record has %d tags, exceeding the quota of 0.", len(r.Tags)))
	}
	for key, value := range r.Settings {
		if _, isBool := value.(bool); slices.Contains(switching, key) && !isBool {
			return invalid(9207, "Failed to parse request body, content-type must be application/json")
		}
	}
	if err := r.validateContent(); err != nil {
		return err
	}
	address, err := netip.ParseAddr(r.Content)
	private := err == nil && (address.IsPrivate() || address.IsLoopback() || address.IsLinkLocalUnicast())
	r.Proxiable = isAddress(r.Type) && !private
	switch {
	case r.Proxied && !isAddress(r.Type):
		return invalid(9004, "This kind of record cannot be proxied")
	case r.Proxied && private:
		return invalid(9003, fmt.Sprintf("Target %s is not allowed for a proxied record.", r.Content))
	case r.Proxied:
		r.TTL = 1
	}
	return nil
}

func (r *record) validateContent() error {
	if components[r.Type] != nil {
		return r.compose()
	}
	r.Data = nil
	address, err := netip.ParseAddr(r.Content)
	switch r.Type {
	case "A":
		if err != nil || !address.Is4() {
			return invalid(9005, "Content for A record must be a valid IPv4 address.")
		}
	case "AAAA":
		if err != nil || !address.Is6() {
			return invalid(9006, "Content for AAAA record must be a valid IPv6 address.")
		}
	case "CNAME":
		r.Content = strings.ToLower(strings.TrimSuffix(r.Content, "."))
		if err == nil || !isName(r.Content, false) {
			return invalid(9007, "Content for CNAME record is invalid.")
		}
		if r.Content == r.Name {
			return invalid(9039, "CNAME content cannot reference itself.")
		}
	case "MX":
		if r.Priority == nil {
			return invalid(9101, "priority is a required data field.")
		}
		// A single dot declares that the domain receives no mail (RFC 7505).
		if r.Content == "." {
			return nil
		}
		return r.validateTarget(9009)
	case "NS":
		return r.validateTarget(9008)
	case "PTR":
		return r.validateTarget(9010)
	case "TXT":
		if r.Content == "" {
			return invalid(9011, "Content for TXT record must not be empty.")
		}
	case "OPENPGPKEY":
		if !isBase64(r.Content) {
			return invalid(9012, "Content for OPENPGPKEY record is invalid.")
		}
	}
	return nil
}

func (r *record) validateTarget(code int) error {
	r.Content = strings.ToLower(strings.TrimSuffix(r.Content, "."))
	if !isName(r.Content, false) {
		return invalid(code, fmt.Sprintf("Content for %s record is invalid.", r.Type))
	}
	return nil
}

// isName reports whether a name is a valid DNS name. A pattern may begin with an asterisk.
func isName(name string, pattern bool) bool {
	if len(name) > 253 || !strings.Contains(name, ".") {
		return false
	}
	for i, one := range strings.Split(strings.ToLower(name), ".") {
		if !label.MatchString(one) && !(pattern && i == 0 && one == "*") {
			return false
		}
	}
	return true
}
