package proxmox

import (
	"net/url"
	"strconv"
	"strings"
)

// endpoint is one method of the API: its path, its parameters, who may call it and what it does.
type endpoint struct {
	method string
	// path has parameters in braces. A last part {name...} matches the rest of the path.
	path string
	// takes are the parameters that are not in the path. Those in the path are always required.
	takes schema
	// allowed are the privileges that a caller needs. All of them are required.
	allowed []access
	// handle returns the data of the answer.
	handle func(*call) (any, error)
}

// access requires privileges on a path, which may have the endpoint's parameters in braces.
type access struct {
	path       string
	privileges []string
	// any means that one of the privileges is enough.
	any bool
	// or are alternatives: one of them is enough, and nothing else counts.
	or []access
}

func needs(path string, privileges ...string) access {
	return access{path: path, privileges: privileges}
}

func needsAny(path string, privileges ...string) access {
	return access{path: path, privileges: privileges, any: true}
}

func needsOneOf(alternatives ...access) access { return access{or: alternatives} }

// pathParameters are the formats of the parameters in paths.
var pathParameters = schema{
	"node": formatted(isNodeName).need(), "storage": formatted(isStorageID).need(), "vmid": vmID.need(),
	"upid": text().need(), "volume": text().need(), "sid": haResourceID.need(), "rule": formatted(isConfigID).need(),
	"poolid": poolID.need(),
}

var (
	vmID         = func() property { p := anyInteger(); p.format = isVMID; return p }()
	poolID       = formatted(isPoolID)
	haResourceID = formatted(isHAResourceOrVMID)
	// digest is the digest of a machine, haDigest that of the cluster's files.
	digest        = text().upTo(40)
	clusterDigest = text().upTo(64)
)

// call is a request to an endpoint, with validated parameters.
type call struct {
	*cluster
	token  string
	params map[string]string
	upload *upload
}

func (c *call) str(name string) string { return c.params[name] }

func (c *call) has(name string) bool { _, there := c.params[name]; return there }

func (c *call) num(name string) int { n, _ := strconv.Atoi(c.params[name]); return n }

func (c *call) yes(name string) bool { return c.params[name] == "1" }

// take removes a parameter and returns its value.
func (c *call) take(name string) string {
	value := c.params[name]
	delete(c.params, name)
	return value
}

// match returns the path's parameters if path, in escaped form, matches this endpoint.
func (e endpoint) match(path []string) (map[string]string, bool) {
	found := map[string]string{}
	pattern := strings.Split(strings.Trim(e.path, "/"), "/")
	for i, part := range pattern {
		name, isParameter := strings.CutPrefix(part, "{")
		if !isParameter {
			if i >= len(path) || path[i] != part {
				return nil, false
			}
			continue
		}
		name = strings.TrimSuffix(name, "}")
		if rest, takesRest := strings.CutSuffix(name, "..."); takesRest {
			if i >= len(path) {
				return nil, false
			}
			found[rest] = unescape(strings.Join(path[i:], "/"))
			return found, true
		}
		if i >= len(path) {
			return nil, false
		}
		found[name] = unescape(path[i])
	}
	return found, len(path) == len(pattern)
}

func unescape(part string) string {
	if plain, err := url.PathUnescape(part); err == nil {
		return plain
	}
	return part
}

// splitPath returns the non-empty parts of an escaped path.
func splitPath(path string) []string {
	var out []string
	for part := range strings.SplitSeq(path, "/") {
		if part != "" {
			out = append(out, part)
		}
	}
	return out
}

// schema returns the schema of all parameters, including those in the path.
func (e endpoint) schema() schema {
	all := with(e.takes)
	for part := range strings.SplitSeq(e.path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			name = strings.TrimSuffix(strings.TrimSuffix(name, "}"), "...")
			all[name] = pathParameters[name]
		}
	}
	return all
}
