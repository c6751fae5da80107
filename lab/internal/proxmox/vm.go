package proxmox

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// vm is a virtual machine.
type vm struct {
	ID   int    `json:"id"`
	Node string `json:"node"`
	// Machine is the name of the folder below machines/ and of the log. It stays when the virtual machine is renamed.
	Machine string `json:"machine"`
	// Config is the configuration as Proxmox stores it.
	Config map[string]string `json:"config"`
	// Running means that the machine is powered on. The simulator restores that after a restart.
	Running bool `json:"running"`
	// Started is when the machine was powered on, in Unix seconds.
	Started int64 `json:"started,omitempty"`
	// Problem is why no Talos machine runs in it although it is powered on.
	Problem string `json:"problem,omitempty"`
	// Locked is set while a task changes the machine.
	Locked string `json:"-"`
}

func (v *vm) status() string {
	if v.Running {
		return "running"
	}
	return "stopped"
}

func (v *vm) value(name, otherwise string) string {
	if value, there := v.Config[name]; there {
		return value
	}
	return otherwise
}

func (v *vm) number(name string, otherwise int) int {
	if n, err := strconv.Atoi(v.Config[name]); err == nil {
		return n
	}
	return otherwise
}

func (v *vm) cpus() int { return v.number("cores", 1) * v.number("sockets", 1) }

// memoryMiB is the machine's memory.
func (v *vm) memoryMiB() int {
	memory, err := memoryParts.parse("memory", v.value("memory", "512"))
	if err != nil {
		return 512
	}
	n, _ := strconv.Atoi(memory["current"])
	return n
}

func (v *vm) digest() string {
	sum := sha1.New()
	for _, name := range slices.Sorted(maps.Keys(v.Config)) {
		fmt.Fprintf(sum, "%s: %s\n", name, v.Config[name])
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// drive parses one of the machine's drives. It returns nil if there is none of that name.
func (v *vm) drive(name string) fields {
	value, there := v.Config[name]
	if !there {
		return nil
	}
	drive, err := vmConfig[name].parts.parse(name, value)
	if err != nil {
		return nil
	}
	return drive
}

// vmOf returns the machine of a call. The caller holds the lock.
func (c *call) vmOf() (*vm, error) {
	v := c.state.VMs[c.num("vmid")]
	if v == nil || v.Node != c.str("node") {
		return nil, noSuchVM(c.str("node"), c.num("vmid"))
	}
	return v, nil
}

func noSuchVM(node string, id int) error {
	return fail("Configuration file 'nodes/%s/qemu-server/%d.conf' does not exist", node, id)
}

func (v *vm) unlocked() error {
	if v.Locked != "" {
		return fail("VM is locked (%s)", v.Locked)
	}
	return nil
}

func listVMs(c *call) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := []map[string]any{}
	for _, id := range slices.Sorted(maps.Keys(c.state.VMs)) {
		if v := c.state.VMs[id]; v.Node == c.str("node") {
			list = append(list, c.brief(v))
		}
	}
	return list, nil
}

// brief describes a machine as lists and its status do.
func (c *cluster) brief(v *vm) map[string]any {
	brief := map[string]any{
		"vmid": v.ID, "status": v.status(), "cpus": v.cpus(), "maxmem": int64(v.memoryMiB()) << 20, "maxdisk": c.bootDiskSize(v),
		"cpu": 0, "mem": 0, "uptime": 0, "netin": 0, "netout": 0, "diskread": 0, "diskwrite": 0, "disk": 0,
	}
	if v.Running {
		brief["uptime"] = time.Now().Unix() - v.Started
		brief["pid"] = 100000 + v.ID
		brief["mem"] = int64(v.memoryMiB()) << 19
	}
	for name, value := range map[string]string{"name": v.Config["name"], "tags": v.Config["tags"], "lock": v.Locked} {
		if value != "" {
			brief[name] = value
		}
	}
	if v.Config["template"] == "1" {
		brief["template"] = 1
	}
	return brief
}

func (c *cluster) bootDiskSize(v *vm) int64 {
	for _, name := range v.bootOrder() {
		if drive := v.drive(name); drive != nil && drive["media"] != "cdrom" {
			return mustParseSize(drive["size"])
		}
	}
	return 0
}

// bootOrder are the devices from which the machine boots.
func (v *vm) bootOrder() []string {
	boot, err := bootParts.parse("boot", v.value("boot", ""))
	if err != nil {
		return nil
	}
	return splitList(boot["order"])
}

func getConfig(c *call) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, err := c.vmOf()
	if err != nil {
		return nil, err
	}
	out := map[string]any{"digest": v.digest()}
	for name, value := range v.Config {
		if name == "cipassword" {
			value = "**********"
		}
		out[name] = vmConfig[name].typed(value)
	}
	return out, nil
}

// getPending reports no pending changes. A change that a running machine cannot apply is stored immediately and takes
// effect at the next start.
func getPending(c *call) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, err := c.vmOf()
	if err != nil {
		return nil, err
	}
	list := []map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(v.Config)) {
		if name != "cipassword" {
			list = append(list, map[string]any{"key": name, "value": vmConfig[name].typed(v.Config[name])})
		}
	}
	return list, nil
}

func currentStatus(c *call) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, err := c.vmOf()
	if err != nil {
		return nil, err
	}
	status := c.brief(v)
	status["qmpstatus"] = v.status()
	status["ha"] = map[string]any{"managed": 0}
	if r := c.state.Resources[haID(v.ID)]; r != nil {
		status["ha"] = map[string]any{"managed": 1, "state": r.Config["state"]}
	}
	if v.agentEnabled() {
		status["agent"] = 1
	}
	return status, nil
}

func (v *vm) agentEnabled() bool {
	agent, err := agentParts.parse("agent", v.value("agent", "0"))
	return err == nil && agent["enabled"] == "1"
}

// uniqueTags returns Proxmox's form of a list of tags: sorted, without repetition, in lower case.
func uniqueTags(value string) string {
	tags := splitList(strings.ToLower(value))
	slices.Sort(tags)
	return strings.Join(slices.Compact(tags), ";")
}
