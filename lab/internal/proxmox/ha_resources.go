package proxmox

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"log"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// haDelay is how long the high-availability manager takes to act.
const haDelay = 100 * time.Millisecond

// haResource is a machine under high availability.
type haResource struct {
	Config map[string]string `json:"config"`
}

func haID(vmid int) string { return "vm:" + strconv.Itoa(vmid) }

// sid returns the complete resource ID of a request, which may lack its type. The caller holds the lock.
func (c *call) sid() (string, error) {
	value := c.str("sid")
	if strings.Contains(value, ":") {
		return value, nil
	}
	if id, _ := strconv.Atoi(value); c.state.VMs[id] == nil {
		return "", fail("unable to detect SID from VMID - VM/CT %s does not exist", value)
	}
	return "vm:" + value, nil
}

var haVMName = regexp.MustCompile(`^[1-9][0-9]+$`)

func haDigest(all map[string]map[string]string) string {
	sum := sha1.New()
	for _, id := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(sum, "%s %v\n", id, all[id])
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func (c *cluster) resourcesDigest() string {
	all := map[string]map[string]string{}
	for id, r := range c.state.Resources {
		all[id] = r.Config
	}
	return haDigest(all)
}

func (c *cluster) describeResource(sid string) map[string]any {
	out := map[string]any{"sid": sid, "digest": c.resourcesDigest(), "type": "vm"}
	for name, value := range c.state.Resources[sid].Config {
		out[name] = haResourceSettings[name].typed(value)
	}
	return out
}

func listResources(c *call) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := []map[string]any{}
	for _, sid := range slices.Sorted(maps.Keys(c.state.Resources)) {
		if !c.has("type") || strings.HasPrefix(sid, c.str("type")+":") {
			list = append(list, c.describeResource(sid))
		}
	}
	return list, nil
}

func getResource(c *call) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	sid, err := c.sid()
	if err != nil {
		return nil, err
	}
	if c.state.Resources[sid] == nil {
		return nil, fail("no such resource '%s'", sid)
	}
	return c.describeResource(sid), nil
}

func createResource(c *call) (any, error) {
	id := 0
	err := c.change(func() error {
		sid, err := c.sid()
		if err != nil {
			return err
		}
		kind, name, _ := strings.Cut(sid, ":")
		id, _ = strconv.Atoi(name)
		if t := c.str("type"); t != "" && t != kind {
			return fail("types does not match")
		}
		if c.has("group") {
			return fail("invalid parameter 'group': ha groups have been migrated to rules")
		}
		if kind != "vm" && kind != "ct" {
			return fail("unknown section type '%s'", kind)
		}
		if !haVMName.MatchString(name) {
			return fail("invalid VMID")
		}
		if kind != "vm" || c.state.VMs[id] == nil {
			return fail("resource '%s' does not exist in cluster", sid)
		}
		if c.state.Resources[sid] != nil {
			return fail("create resource failed: resource ID '%s' already defined", sid)
		}
		c.state.Resources[sid] = &haResource{c.settings()}
		return nil
	})
	if err == nil {
		c.attend(id, defaultShutdown)
	}
	return nil, err
}

// settings are the parameters that are stored.
func (c *call) settings() map[string]string {
	config := map[string]string{}
	for name := range haResourceSettings {
		if c.has(name) {
			config[name] = c.str(name)
		}
	}
	if config["state"] == "enabled" {
		config["state"] = "started"
	}
	return config
}

func updateResource(c *call) (any, error) {
	var sid string
	err := c.change(func() error {
		var err error
		if sid, err = c.sid(); err != nil {
			return err
		}
		r := c.state.Resources[sid]
		if r == nil {
			return fail("update resources config failed: no such resource '%s'", sid)
		}
		if d := c.str("digest"); d != "" && d != c.resourcesDigest() {
			return fail("detected modified configuration - file changed by other user? Try again.")
		}
		if c.has("group") {
			return fail("invalid parameter 'group': ha groups have been migrated to rules")
		}
		for _, name := range splitList(c.str("delete")) {
			if _, known := haResourceSettings[name]; !known && name != "group" {
				return fail("update resources config failed: no such option '%s'", name)
			}
			delete(r.Config, name)
		}
		maps.Copy(r.Config, c.settings())
		return nil
	})
	if err == nil {
		_, number, _ := strings.Cut(sid, ":")
		id, _ := strconv.Atoi(number)
		c.attend(id, defaultShutdown)
	}
	return nil, err
}

func deleteResource(c *call) (any, error) {
	return nil, c.change(func() error {
		sid, err := c.sid()
		if err != nil {
			return err
		}
		if c.state.Resources[sid] == nil {
			return fail("cannot delete service '%s', not HA managed!", sid)
		}
		if c.has("purge") && !c.yes("purge") {
			delete(c.state.Resources, sid)
			return nil
		}
		c.unmanage(sid)
		return nil
	})
}

// manage adds a machine to high availability.
func (c *cluster) manage(id int, started bool) error {
	state := "stopped"
	if started {
		state = "started"
	}
	c.state.Resources[haID(id)] = &haResource{map[string]string{"state": state}}
	return nil
}

// unmanage removes a machine from high availability and from rules. It also removes a rule without resources.
func (c *cluster) unmanage(sid string) {
	if c.state.Resources[sid] == nil {
		return
	}
	delete(c.state.Resources, sid)
	for name, rule := range c.state.Rules {
		rule.Resources = slices.DeleteFunc(rule.Resources, func(other string) bool { return other == sid })
		if len(rule.Resources) == 0 {
			delete(c.state.Rules, name)
		}
	}
}

// request asks high availability for a state of a machine.
func (c *cluster) request(id int, state string, timeout time.Duration) error {
	err := c.change(func() error {
		r := c.state.Resources[haID(id)]
		if r == nil {
			return fail("no such resource '%s'", haID(id))
		}
		r.Config["state"] = state
		return nil
	})
	if err == nil {
		c.attend(id, timeout)
	}
	return err
}

// attend acts as the manager: after haDelay it brings a machine into the requested state.
func (c *cluster) attend(id int, timeout time.Duration) {
	time.AfterFunc(haDelay, func() {
		c.mu.Lock()
		r, v := c.state.Resources[haID(id)], c.state.VMs[id]
		skip := c.closing || r == nil || v == nil || r.Config["state"] == "ignored"
		wanted := !skip && (r.Config["state"] == "started" || r.Config["state"] == "")
		skip = skip || wanted == v.Running
		c.mu.Unlock()
		if skip {
			return
		}
		silent := func(string, ...any) {}
		act := func() error { return c.powerOn(id, silent) }
		if !wanted {
			act = func() error { return c.powerOff(id, timeout, true, silent) }
		}
		if err := act(); err != nil {
			log.Printf("high availability, VM %d: %v", id, err)
		}
	})
}
