package cloudflare

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// comparisons are the suffixes of a filter's name.
var comparisons = map[string]func(value, wanted string) bool{
	"":           strings.EqualFold,
	"exact":      strings.EqualFold,
	"contains":   func(v, w string) bool { return strings.Contains(strings.ToLower(v), strings.ToLower(w)) },
	"startswith": func(v, w string) bool { return strings.HasPrefix(strings.ToLower(v), strings.ToLower(w)) },
	"endswith":   func(v, w string) bool { return strings.HasSuffix(strings.ToLower(v), strings.ToLower(w)) },
}

// selectRecords returns the records of a zone that match a list's query, in the order that the query asks for.
func selectRecords(held *contents, zone string, query url.Values) ([]*record, error) {
	found := []*record{}
	for _, one := range held.Records {
		if one.Zone != zone {
			continue
		}
		matches, err := one.matches(query)
		if err != nil {
			return nil, err
		}
		if matches {
			found = append(found, one.shown())
		}
	}
	slices.SortFunc(found, func(a, b *record) int {
		return cmp.Or(cmp.Compare(a.sortKey(query.Get("order")), b.sortKey(query.Get("order"))),
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Content, b.Content))
	})
	if query.Get("direction") == "desc" {
		slices.Reverse(found)
	}
	return found, nil
}

// matches reports whether a record matches all filters, or one of them with match=any.
func (r *record) matches(query url.Values) (bool, error) {
	var held []bool
	comment := ""
	if r.Comment != nil {
		comment = *r.Comment
	}
	for field, value := range map[string]string{"name": r.Name, "content": r.Content, "type": r.Type, "comment": comment} {
		for operator, compare := range comparisons {
			name := strings.TrimSuffix(field+"."+operator, ".")
			if query.Has(name) {
				held = append(held, compare(value, query.Get(name)))
			}
		}
	}
	if query.Has("comment.present") {
		held = append(held, comment != "")
	}
	if query.Has("comment.absent") {
		held = append(held, comment == "")
	}
	if query.Has("proxied") {
		wanted, err := strconv.ParseBool(query.Get("proxied"))
		if err != nil {
			return false, refuse(http.StatusBadRequest, 1004, "DNS Validation Error",
				message{Code: 9001, Message: "proxied filter must be a boolean"})
		}
		held = append(held, r.Proxied == wanted)
	}
	anySearched := true
	if search := strings.ToLower(query.Get("search")); search != "" {
		text := strings.ToLower(strings.Join([]string{r.Name, r.Type, r.Content, comment}, "\n"))
		anySearched = strings.Contains(text, search)
	}
	if query.Get("match") == "any" && len(held) > 0 {
		return anySearched && slices.Contains(held, true), nil
	}
	return anySearched && !slices.Contains(held, false), nil
}

func (r *record) sortKey(order string) string {
	switch order {
	case "type":
		return r.Type
	case "content":
		return r.Content
	case "ttl":
		return strconv.FormatFloat(r.TTL+1e9, 'f', -1, 64)
	case "proxied":
		return strconv.FormatBool(r.Proxied)
	}
	return r.Name
}
