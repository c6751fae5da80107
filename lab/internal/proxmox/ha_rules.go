package proxmox

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// haRule restricts where machines under high availability may run.
type haRule struct {
	Type      string   `json:"type"`
	Resources []string `json:"resources"`
	Affinity  string   `json:"affinity,omitempty"`
	Nodes     string   `json:"nodes,omitempty"`
	Strict    bool     `json:"strict,omitempty"`
	Disable   bool     `json:"disable,omitempty"`
	Comment   string   `json:"comment,omitempty"`
	Order     int      `json:"order"`
}

func (c *cluster) describeRule(name string) map[string]any {
	r := c.state.Rules[name]
	out := map[string]any{"rule": name, "type": r.Type, "resources": strings.Join(r.Resources, ","), "order": r.Order, "digest": c.rulesDigest()}
	for key, value := range map[string]string{"affinity": r.Affinity, "nodes": r.Nodes, "comment": r.Comment} {
		if value != "" {
			out[key] = value
		}
	}
	if r.Disable {
		out["disable"] = 1
	}
	if r.Strict {
		out["strict"] = 1
	}
	return out
}

func (c *cluster) rulesDigest() string {
	all := map[string]map[string]string{}
	for name, r := range c.state.Rules {
		all[name] = map[string]string{"resources": strings.Join(r.Resources, ","), "affinity": r.Affinity, "nodes": r.Nodes, "comment": r.Comment}
	}
	return haDigest(all)
}

func listRules(c *call) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := []map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(c.state.Rules)) {
		r := c.state.Rules[name]
		if c.has("type") && r.Type != c.str("type") || c.has("resource") && !slices.Contains(r.Resources, c.str("resource")) {
			continue
		}
		list = append(list, c.describeRule(name))
	}
	return list, nil
}

func getRule(c *call) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.Rules[c.str("rule")] == nil {
		return nil, fail("no such ha rule '%s'", c.str("rule"))
	}
	return c.describeRule(c.str("rule")), nil
}

func createRule(c *call) (any, error) {
	name := c.str("rule")
	return nil, c.change(func() error {
		if c.state.Rules[name] != nil {
			return fail("create ha rule failed: HA rule '%s' already defined", name)
		}
		rule := &haRule{Type: c.str("type"), Order: len(c.state.Rules) + 1}
		return c.applyRule(name, rule, "create ha rule failed: ")
	})
}

func updateRule(c *call) (any, error) {
	name := c.str("rule")
	return nil, c.change(func() error {
		old := c.state.Rules[name]
		if old == nil {
			return fail("update HA rules failed: HA rule '%s' does not exist", name)
		}
		if c.str("type") != old.Type {
			return fail("update HA rules failed: the type of a rule cannot change")
		}
		changed := *old
		changed.Disable = false
		for _, option := range splitList(c.str("delete")) {
			switch option {
			case "comment":
				changed.Comment = ""
			case "disable":
			case "strict":
				changed.Strict = false
			default:
				return fail("update HA rules failed: unable to delete required option '%s'", option)
			}
		}
		return c.applyRule(name, &changed, "update HA rules failed: ")
	})
}

// applyRule applies the parameters to a rule, checks the whole rule and stores it.
func (c *call) applyRule(name string, rule *haRule, prefix string) error {
	if c.has("resources") {
		rule.Resources = splitList(c.str("resources"))
		slices.Sort(rule.Resources)
		var unknown []string
		for _, sid := range rule.Resources {
			if c.state.Resources[sid] == nil {
				unknown = append(unknown, sid)
			}
		}
		if len(unknown) > 0 {
			return fail("%scannot use unmanaged resource(s) %s.", prefix, strings.Join(unknown, ", "))
		}
	}
	if c.has("nodes") {
		rule.Nodes = c.str("nodes")
		for _, node := range splitList(rule.Nodes) {
			if host, _, _ := strings.Cut(node, ":"); !c.isNode(host) {
				return fail("%scannot use non-existent node(s) %s.", prefix, host)
			}
		}
	}
	if c.has("affinity") {
		rule.Affinity = c.str("affinity")
	}
	if c.has("comment") {
		rule.Comment = c.str("comment")
	}
	rule.Disable = c.yes("disable")
	rule.Strict = rule.Strict || c.yes("strict")
	if wrong := c.feasible(name, rule); len(wrong) > 0 {
		return &apiError{status: http.StatusBadRequest, message: "Rule '" + name + "' is invalid.", fields: wrong}
	}
	c.state.Rules[name] = rule
	return nil
}

// feasible returns why the cluster cannot satisfy a rule, empty if it can.
func (c *call) feasible(name string, rule *haRule) map[string]string {
	if rule.Type != "resource-affinity" || rule.Disable {
		return nil
	}
	if len(rule.Resources) < 2 {
		return map[string]string{"resources": "rule is ineffective as there are less than two resources"}
	}
	if rule.Affinity == "negative" && len(rule.Resources) > len(c.lab.Proxmox.Nodes) {
		return map[string]string{"resources": "rule defines more resources than available nodes"}
	}
	for other, r := range c.state.Rules {
		if other == name || r.Type != rule.Type || r.Disable || r.Affinity == rule.Affinity {
			continue
		}
		shared := slices.DeleteFunc(slices.Clone(r.Resources), func(sid string) bool { return !slices.Contains(rule.Resources, sid) })
		if len(shared) > 1 {
			return map[string]string{"resources": "rule shares two or more resources with a " + r.Affinity + " resource affinity rule"}
		}
	}
	return nil
}

func deleteRule(c *call) (any, error) {
	return nil, c.change(func() error {
		delete(c.state.Rules, c.str("rule"))
		return nil
	})
}
