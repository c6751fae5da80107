package proxmox

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// defaultShutdown is how long a machine may take to shut down if the caller does not say.
const defaultShutdown = 60 * time.Second

func startVM(c *call) (any, error) {
	for _, name := range []string{"stateuri", "skiplock", "migratedfrom", "migration_type", "migration_network", "targetstorage", "force-cpu"} {
		if c.str(name) != "" && c.str(name) != "0" {
			return nil, onlyRoot(name)
		}
	}
	node, id := c.str("node"), c.num("vmid")
	if c.managed(id) {
		return c.begin(node, "hastart", c.str("vmid"), func(say func(string, ...any)) error {
			say("Requesting HA start for VM %d", id)
			return c.request(id, "started", 0)
		})
	}
	return c.begin(node, "qmstart", c.str("vmid"), func(say func(string, ...any)) error {
		if err := c.exists(); err != nil {
			return err
		}
		return c.powerOn(id, say)
	})
}

func stopVM(c *call) (any, error) { return c.powerOffCall("qmstop", 0) }

func shutdownVM(c *call) (any, error) {
	timeout := defaultShutdown
	if c.has("timeout") {
		timeout = time.Duration(c.num("timeout")) * time.Second
	}
	return c.powerOffCall("qmshutdown", timeout)
}

// powerOffCall stops a machine. Without a timeout it cuts the power.
func (c *call) powerOffCall(kind string, timeout time.Duration) (any, error) {
	for _, name := range []string{"skiplock", "keepActive", "migratedfrom"} {
		if c.str(name) != "" && c.str(name) != "0" {
			return nil, onlyRoot(name)
		}
	}
	node, id := c.str("node"), c.num("vmid")
	if c.managed(id) {
		if c.yes("overrule-shutdown") {
			return nil, invalidField("overrule-shutdown", "Not applicable for HA resources.")
		}
		return c.begin(node, "hastop", c.str("vmid"), func(say func(string, ...any)) error {
			say("Requesting HA stop for VM %d", id)
			return c.request(id, "stopped", timeout)
		})
	}
	force := c.yes("forceStop")
	return c.begin(node, kind, c.str("vmid"), func(say func(string, ...any)) error {
		if err := c.exists(); err != nil {
			return err
		}
		return c.powerOff(id, timeout, force, say)
	})
}

func rebootVM(c *call) (any, error) {
	v, err := c.running()
	if err != nil {
		return nil, err
	}
	timeout := defaultShutdown
	if c.has("timeout") {
		timeout = time.Duration(c.num("timeout")) * time.Second
	}
	return c.begin(v.Node, "qmreboot", strconv.Itoa(v.ID), func(say func(string, ...any)) error {
		if err := c.powerOff(v.ID, timeout, false, say); err != nil {
			return err
		}
		return c.powerOn(v.ID, say)
	})
}

// resetVM presses the reset button.
func resetVM(c *call) (any, error) {
	if c.yes("skiplock") {
		return nil, onlyRoot("skiplock")
	}
	v, err := c.running()
	if err != nil {
		return nil, err
	}
	return c.begin(v.Node, "qmreset", strconv.Itoa(v.ID), func(say func(string, ...any)) error {
		if err := c.powerOff(v.ID, 0, true, say); err != nil {
			return err
		}
		return c.powerOn(v.ID, say)
	})
}

// running returns the machine of a command that requires a running machine.
func (c *call) running() (*vm, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, err := c.vmOf()
	if err != nil {
		return nil, fail("unable to find configuration file for VM %d on node '%s'", c.num("vmid"), c.str("node"))
	}
	if !v.Running {
		return nil, fail("VM %d not running", v.ID)
	}
	return v, nil
}

// exists checks that the machine exists. Tasks that start or stop a machine check this, not their requests.
func (c *call) exists() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.vmOf()
	return err
}

// managed reports whether high availability starts and stops a machine.
func (c *cluster) managed(id int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.state.Resources[haID(id)]
	return r != nil && r.Config["state"] != "ignored"
}

// powerOn starts a machine.
func (c *cluster) powerOn(id int, say func(string, ...any)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := c.state.VMs[id]
	if v == nil {
		return fail("VM %d does not exist", id)
	}
	if v.Config["template"] == "1" {
		return fail("you can't start a vm if it's a template")
	}
	if err := v.unlocked(); err != nil {
		return err
	}
	if v.Running {
		return fail("VM %d already running", id)
	}
	if err := c.startable(v); err != nil {
		return err
	}
	v.Running, v.Started = true, time.Now().Unix()
	if err := c.boot(v); err != nil {
		v.Running = false
		return err
	}
	return c.save()
}

// startable applies the checks that Proxmox makes only when a machine starts.
func (c *cluster) startable(v *vm) error {
	if v.cpus() > c.lab.Proxmox.CPUs {
		return fail("MAX %d vcpus allowed per VM on this node", c.lab.Proxmox.CPUs)
	}
	if v.memoryMiB() > c.lab.Proxmox.MemoryMiB {
		return fail("start failed: QEMU exited with code 1: cannot set up guest memory 'pc.ram': Cannot allocate memory")
	}
	for name, value := range v.Config {
		if !strings.HasPrefix(name, "net") {
			continue
		}
		net, err := networkDevice.parse(name, value)
		if err == nil && net["bridge"] != "" && !slices.Contains(c.lab.Proxmox.Bridges, net["bridge"]) {
			return fail("start failed: QEMU exited with code 1: bridge '%s' does not exist", net["bridge"])
		}
	}
	for name := range driveParameters {
		drive := v.drive(name)
		if drive == nil || drive["file"] == "none" || drive["file"] == "cdrom" {
			continue
		}
		if c.volume(v.Node, drive["file"]) == nil {
			return fail("volume '%s' does not exist", drive["file"])
		}
	}
	return nil
}

// powerOff stops a machine: immediately without a timeout, otherwise by a shutdown for which it waits that long.
func (c *cluster) powerOff(id int, timeout time.Duration, force bool, say func(string, ...any)) error {
	c.mu.Lock()
	v, p := c.state.VMs[id], c.processes[id]
	running := v != nil && v.Running
	c.mu.Unlock()
	if !running {
		return nil
	}
	if p != nil {
		if timeout > 0 && !p.shutDown(timeout) {
			if !force {
				return fail("VM quit/powerdown failed - got timeout")
			}
			say("VM still running - terminating now with SIGTERM")
		}
		p.kill()
	}
	return c.change(func() error {
		v.Running, v.Problem = false, ""
		return nil
	})
}
