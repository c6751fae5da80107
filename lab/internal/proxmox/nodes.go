package proxmox

import (
	"net"
	"time"
)

var seesNode = []access{needs("/nodes/{node}", "Sys.Audit")}

var nodeEndpoints = []endpoint{
	{"GET", "/nodes", nil, nil, listNodes},
	{"GET", "/nodes/{node}/status", nil, seesNode, nodeStatus},
	{"GET", "/nodes/{node}/version", nil, nil, version},
	{"GET", "/nodes/{node}/time", nil, seesNode, nodeTime},
	{"GET", "/nodes/{node}/network", schema{"type": text()}, nil, nodeNetwork},
	{"GET", "/nodes/{node}/tasks", schema{
		"vmid": vmID, "start": atLeast(0), "limit": atLeast(0), "source": enum("archive", "active", "all"), "errors": flag(),
		"userfilter": text(), "typefilter": text(), "since": anyInteger(), "until": anyInteger(), "statusfilter": text(),
	}, nil, listTasks},
	{"GET", "/nodes/{node}/tasks/{upid}/status", nil, nil, taskStatus},
	{"GET", "/nodes/{node}/tasks/{upid}/log", schema{"start": atLeast(0), "limit": atLeast(0), "download": flag()}, nil, taskLog},
	{"DELETE", "/nodes/{node}/tasks/{upid}", nil, nil, stopTask},
}

// describeNode describes a host as lists do. The caller holds the lock.
func (c *cluster) describeNode(node string) map[string]any {
	var memory int64
	for _, v := range c.state.VMs {
		if v.Node == node && v.Running {
			memory += int64(v.memoryMiB()) << 20
		}
	}
	return map[string]any{
		"node": node, "status": "online", "maxcpu": c.lab.Proxmox.CPUs, "cpu": 0.01, "maxmem": int64(c.lab.Proxmox.MemoryMiB) << 20,
		"mem": memory, "level": "", "uptime": int64(time.Since(started).Seconds()) + 1,
	}
}

func listNodes(c *call) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := []map[string]any{}
	for _, node := range c.lab.Proxmox.Nodes {
		entry := c.describeNode(node)
		entry["id"], entry["type"] = "node/"+node, "node"
		list = append(list, entry)
	}
	return list, nil
}

func nodeStatus(c *call) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.describeNode(c.str("node"))
	total, used := d["maxmem"].(int64), d["mem"].(int64)
	return map[string]any{
		"cpu": d["cpu"], "uptime": d["uptime"], "pveversion": "pve-manager/9.2.11", "kversion": "Linux 6.17.2-1-pve",
		"cpuinfo": map[string]any{"cpus": c.lab.Proxmox.CPUs, "cores": c.lab.Proxmox.CPUs, "sockets": 1, "model": "QEMU Virtual CPU", "hvm": "1"},
		"memory":  map[string]any{"total": total, "used": used, "free": total - used},
	}, nil
}

func nodeTime(*call) (any, error) {
	now := time.Now().Unix()
	return map[string]any{"time": now, "localtime": now, "timezone": "Etc/UTC"}, nil
}

func nodeNetwork(c *call) (any, error) {
	list := []map[string]any{}
	address, _, _ := net.SplitHostPort(c.lab.Proxmox.SSH[c.str("node")])
	for at, bridge := range c.lab.Proxmox.Bridges {
		entry := map[string]any{"iface": bridge, "type": "bridge", "active": 1, "autostart": 1, "method": "manual", "bridge_ports": "eno1"}
		if at == 0 && address != "" {
			entry["method"], entry["address"], entry["netmask"], entry["cidr"] = "static", address, "8", address+"/8"
		}
		list = append(list, entry)
	}
	return list, nil
}
