package cloudflare

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// record is a DNS record in the form of the API and of the state file.
type record struct {
	ID         string         `json:"id"`
	Zone       string         `json:"zone,omitempty"` // the zone's ID, stored but not returned
	Name       string         `json:"name"`
	Type       string         `json:"type"`
	Content    string         `json:"content"`
	Priority   *float64       `json:"priority,omitempty"`
	Proxiable  bool           `json:"proxiable"`
	Proxied    bool           `json:"proxied"`
	TTL        float64        `json:"ttl"`
	Data       map[string]any `json:"data,omitempty"`
	Settings   map[string]any `json:"settings"`
	Meta       map[string]any `json:"meta"`
	Comment    *string        `json:"comment"`
	Tags       []string       `json:"tags"`
	CreatedOn  string         `json:"created_on"`
	ModifiedOn string         `json:"modified_on"`
	// CommentModifiedOn is empty without a comment.
	CommentModifiedOn string `json:"comment_modified_on,omitempty"`
}

// shown returns the record in the form of the API.
func (r *record) shown() *record {
	shown := *r
	shown.Zone = ""
	return &shown
}

// written is a client's request to write a record. Absent fields are nil.
type written struct {
	Name           *string        `json:"name"`
	Type           *string        `json:"type"`
	Content        *string        `json:"content"`
	Priority       *float64       `json:"priority"`
	Proxied        *bool          `json:"proxied"`
	TTL            *float64       `json:"ttl"`
	Data           map[string]any `json:"data"`
	Settings       map[string]any `json:"settings"`
	Comment        *string        `json:"comment"`
	Tags           *[]string      `json:"tags"`
	PrivateRouting *bool          `json:"private_routing"`
}

// readRecord decodes a body. Like the API, it ignores unknown fields, and refuses wrong types like invalid JSON.
func readRecord(r *http.Request) (*written, error) {
	body := &written{}
	if err := json.NewDecoder(r.Body).Decode(body); err != nil {
		return nil, refuse(http.StatusBadRequest, 9207, "Failed to parse request body, content-type must be application/json")
	}
	return body, nil
}

// apply applies a request to the record. zone is the zone's name.
func (r *record) apply(body *written, zone string, now time.Time) error {
	if body.Type != nil {
		r.Type = strings.ToUpper(*body.Type)
	}
	if body.Name != nil {
		r.Name = fullName(*body.Name, zone)
	}
	if body.Content != nil {
		r.Content = *body.Content
	}
	if body.Priority != nil {
		r.Priority = body.Priority
	}
	if body.Proxied != nil {
		r.Proxied = *body.Proxied
	}
	if body.TTL != nil {
		r.TTL = *body.TTL
	}
	if body.Data != nil {
		r.Data = body.Data
	}
	if body.Settings != nil {
		r.Settings = body.Settings
	}
	if body.Tags != nil {
		r.Tags = *body.Tags
	}
	if body.Comment != nil && (r.Comment == nil || *r.Comment != *body.Comment) {
		r.Comment, r.CommentModifiedOn = body.Comment, stamp(now)
		if *body.Comment == "" {
			r.Comment, r.CommentModifiedOn = nil, ""
		}
	}
	if err := r.validate(); err != nil {
		return err
	}
	r.ModifiedOn = stamp(now)
	return nil
}

// fullName appends the zone to a name that does not end in it, as the API does.
func fullName(name, zone string) string {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	switch {
	case name == "@":
		return zone
	case name == "", name == zone, strings.HasSuffix(name, "."+zone):
		return name
	}
	return name + "." + zone
}

func newRecord(zone string, now time.Time) *record {
	id := make([]byte, 16)
	rand.Read(id)
	return &record{
		ID: hex.EncodeToString(id), Zone: zone, TTL: 1, CreatedOn: stamp(now),
		Settings: map[string]any{}, Meta: map[string]any{}, Tags: []string{},
	}
}

// conflict returns a refusal if the record cannot coexist with the others of its zone.
func (r *record) conflict(held *contents) error {
	const more = " For more details, refer to <https://developers.cloudflare.com/dns/manage-dns-records/troubleshooting/records-with-same-name/>."
	for _, other := range held.Records {
		if other.ID == r.ID || other.Zone != r.Zone || other.Name != r.Name {
			continue
		}
		switch {
		case r.Type == "CNAME" && isAddress(other.Type):
			return refuse(http.StatusBadRequest, 81053, "An A, AAAA, or CNAME record with that host already exists."+more)
		case isAddress(r.Type) && other.Type == "CNAME":
			return refuse(http.StatusBadRequest, 81054, "A CNAME record with that host already exists."+more)
		case r.Type == other.Type && strings.EqualFold(r.Content, other.Content):
			return refuse(http.StatusBadRequest, 81058, "An identical record already exists.")
		}
	}
	return nil
}

// isAddress reports whether a type resolves to an address. These types can also be proxied.
func isAddress(kind string) bool { return kind == "A" || kind == "AAAA" || kind == "CNAME" }
