package proxmox

import (
	"encoding/json"
	"net/http"

	"hearth.dev/lab/internal/faults"
)

// serveLab serves the simulator's own endpoints, which Proxmox does not have.
func (c *cluster) serveLab(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == faults.Path:
		c.faults.ServeHTTP(w, r)
	case r.Method == http.MethodGet && r.URL.Path == "/lab/state":
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(c.summary())
	default:
		http.NotFound(w, r)
	}
}

// summary is the simulator's state for the lab.
type summary struct {
	VMs    int `json:"vms"`
	Images int `json:"images"`
	// Disks is the number of volumes of virtual machines.
	Disks int `json:"disks"`
	// HA is the number of resources and rules together.
	HA    int `json:"ha"`
	Pools int `json:"pools"`
	// Machines are the virtual machines, in no particular order.
	Machines []machineSummary `json:"machines"`
}

type machineSummary struct {
	Name   string `json:"name"`
	Node   string `json:"node"`
	VMID   int    `json:"vmid"`
	Status string `json:"status"`
	// Reachable means that a Talos machine runs in it.
	Reachable bool   `json:"reachable"`
	Address   string `json:"address,omitempty"`
	// Problem is why the machine cannot be reached although it runs.
	Problem string `json:"problem,omitempty"`
}

func (c *cluster) summary() summary {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := summary{VMs: len(c.state.VMs), HA: len(c.state.Resources) + len(c.state.Rules), Pools: len(c.state.Pools), Machines: []machineSummary{}}
	for _, v := range c.state.Volumes {
		if v.VMID == 0 {
			s.Images++
		} else {
			s.Disks++
		}
	}
	for _, vm := range c.state.VMs {
		m := machineSummary{Name: vm.Machine, Node: vm.Node, VMID: vm.ID, Status: vm.status(), Problem: vm.Problem}
		m.Reachable = c.processes[vm.ID] != nil
		if spec, err := c.specOf(vm); err == nil {
			m.Address = spec.Address
		}
		s.Machines = append(s.Machines, m)
	}
	return s
}
