package proxmox

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

var started = time.Now()

var clusterEndpoints = []endpoint{
	{"GET", "/version", nil, nil, version},
	{"GET", "/cluster/nextid", schema{"vmid": vmID}, nil, nextID},
	{"GET", "/cluster/resources", schema{"type": enum("vm", "storage", "node", "sdn")}, nil, clusterResources},
	{"GET", "/cluster/status", nil, []access{needs("/", "Sys.Audit")}, clusterStatus},
	{"GET", "/cluster/options", nil, nil, clusterOptions},
}

func version(*call) (any, error) {
	return map[string]any{"version": "9.2.11", "release": "9.2", "repoid": "5ac30304265fbd8e", "console": "applet"}, nil
}

func nextID(c *call) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.has("vmid") {
		if c.state.VMs[c.num("vmid")] != nil {
			return nil, invalidField("vmid", "VM %s already exists", c.str("vmid"))
		}
		return c.str("vmid"), nil
	}
	id := 100
	for c.state.VMs[id] != nil {
		id++
	}
	return strconv.Itoa(id), nil
}

func clusterResources(c *call) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := []map[string]any{}
	wants := func(kind string) bool { return !c.has("type") || c.str("type") == kind }
	if wants("vm") {
		for _, id := range slices.Sorted(maps.Keys(c.state.VMs)) {
			list = append(list, c.vmResource(c.state.VMs[id]))
		}
	}
	for _, node := range c.lab.Proxmox.Nodes {
		if wants("node") {
			entry := c.describeNode(node)
			entry["id"], entry["type"], entry["cgroup-mode"] = "node/"+node, "node", 2
			list = append(list, entry)
		}
		if !wants("storage") {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(c.lab.Proxmox.Datastores)) {
			d, _ := c.datastore(name)
			list = append(list, map[string]any{
				"id": "storage/" + node + "/" + name, "type": "storage", "node": node, "storage": name, "plugintype": d.kind(),
				"status": "available", "maxdisk": datastoreBytes, "disk": c.used(node, name), "shared": 0,
			})
		}
	}
	return list, nil
}

func (c *cluster) vmResource(v *vm) map[string]any {
	entry := c.brief(v)
	delete(entry, "cpus")
	delete(entry, "pid")
	entry["id"], entry["type"], entry["node"], entry["maxcpu"] = fmt.Sprintf("qemu/%d", v.ID), "qemu", v.Node, v.cpus()
	if r := c.state.Resources[haID(v.ID)]; r != nil {
		entry["hastate"] = r.Config["state"]
	}
	for name, p := range c.state.Pools {
		if slices.Contains(p.VMs, v.ID) {
			entry["pool"] = name
		}
	}
	return entry
}

func clusterStatus(c *call) (any, error) {
	list := []map[string]any{{
		"type": "cluster", "id": "cluster", "name": "lab", "nodes": len(c.lab.Proxmox.Nodes), "quorate": 1, "version": len(c.lab.Proxmox.Nodes),
	}}
	for i, node := range c.lab.Proxmox.Nodes {
		list = append(list, map[string]any{"type": "node", "id": "node/" + node, "name": node, "nodeid": i + 1, "online": 1, "local": 0, "level": ""})
	}
	return list, nil
}

func clusterOptions(*call) (any, error) {
	return map[string]any{"keyboard": "en-us", "mac_prefix": "BC:24:11"}, nil
}
