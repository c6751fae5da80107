package proxmox

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// defaultShutdown is how long a machine may take to shut down when the caller does not say.
const defaultShutdown = 60 * time.Second

func startVM(c *call) (any, error) {
	for _, name := range []string{"stateuri", "skiplock", "migratedfrom", "migration_type", "migration_network", "targetstorage", "force-cpu"} {
		if c.str(name) != "" && c.str(name) != "0" {
			return nil, invalidField(name, "Only root may use this option.")
		}
	}
	v, managed, err := c.power()
	if err != nil {
		return nil, err
	}
	if managed {
		return c.begin(v.Node, "hastart", strconv.Itoa(v.ID), func(say func(string, ...any)) error {
			say("Requesting HA start for VM %d", v.ID)
			return c.request(v.ID, "started", 0)
		})
	}
	return c.begin(v.Node, "qmstart", strconv.Itoa(v.ID), func(say func(string, ...any)) error { return c.powerOn(v.ID, say) })
}

func stopVM(c *call) (any, error) { return c.powerOffCall("qmstop", 0) }

func shutdownVM(c *call) (any, error) {
	timeout := defaultShutdown
	if c.has("timeout") {
		timeout = time.Duration(c.num("timeout")) * time.Second
	}
	return c.powerOffCall("qmshutdown", timeout)
}

// powerOffCall stops a machine; without a timeout that is as if its plug were pulled.
func (c *call) powerOffCall(kind string, timeout time.Duration) (any, error) {
	for _, name := range []string{"skiplock", "keepActive", "migratedfrom"} {
		if c.str(name) != "" && c.str(name) != "0" {
			return nil, invalidField(name, "Only root may use this option.")
		}
	}
	v, managed, err := c.power()
	if err != nil {
		return nil, err
	}
	if managed {
		return c.begin(v.Node, "hastop", strconv.Itoa(v.ID), func(say func(string, ...any)) error {
			say("Requesting HA stop for VM %d", v.ID)
			return c.request(v.ID, "stopped", timeout)
		})
	}
	force := c.yes("forceStop")
	return c.begin(v.Node, kind, strconv.Itoa(v.ID), func(say func(string, ...any)) error {
		return c.powerOff(v.ID, timeout, force, say)
	})
}

func rebootVM(c *call) (any, error) {
	v, _, err := c.power()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	running := v.Running
	c.mu.Unlock()
	if !running {
		return nil, fail("VM %d not running", v.ID)
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

// resetVM is the reset button.
func resetVM(c *call) (any, error) {
	v, _, err := c.power()
	if err != nil {
		return nil, err
	}
	return c.begin(v.Node, "qmreset", strconv.Itoa(v.ID), func(say func(string, ...any)) error {
		c.mu.Lock()
		running := v.Running
		c.mu.Unlock()
		if !running {
			return fail("VM %d not running", v.ID)
		}
		if err := c.powerOff(v.ID, 0, true, say); err != nil {
			return err
		}
		return c.powerOn(v.ID, say)
	})
}

// power finds the machine of a power command and whether high availability manages it.
func (c *call) power() (*vm, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, err := c.vmOf()
	if err != nil {
		return nil, false, err
	}
	r := c.state.Resources[haID(v.ID)]
	return v, r != nil && r.Config["state"] != "ignored", nil
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

// startable checks what only shows when a machine starts.
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

// powerOff stops a machine: at once without a timeout, otherwise by asking it to shut down and waiting that long.
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
