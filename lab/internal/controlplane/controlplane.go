package controlplane

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"hearth.dev/lab/internal/child"
	"hearth.dev/lab/internal/labconfig"
)

// Options configure a control plane.
type Options struct {
	Lab *labconfig.Lab
	// Machine is the machine's inventory name, which is part of the names of logs.
	Machine string
	// Dir holds all files and data.
	Dir string
	// Logf writes a line to the machine's log.
	Logf func(format string, args ...any)
	// Peers returns the known addresses of the cluster's control planes.
	Peers func() []netip.Addr
	// OnChange is called after a program has started or stopped or its health has changed.
	OnChange func()
}

// ControlPlane is the control plane of one machine. Its methods are safe for concurrent use.
type ControlPlane struct {
	options Options

	mu      sync.Mutex
	node    *Node
	joining context.CancelFunc
	running map[string]*program
	// member is the ID of this machine's etcd member, 0 if it is unknown.
	member uint64
	cancel context.CancelFunc
	done   chan struct{}
	// podsTurn is open while the lab's pods run beside this control plane.
	podsTurn *os.File
}

type program struct {
	*child.Child
	fingerprint string
	flags       []string
	healthy     bool
	message     string
}

// New returns a control plane that is not started.
func New(options Options) *ControlPlane {
	return &ControlPlane{options: options, running: map[string]*program{}}
}

// Start starts the programs that this machine ran before. Without earlier data it waits for Bootstrap, or for a cluster
// to join.
func (c *ControlPlane) Start(node Node) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := os.MkdirAll(c.options.Dir, 0o700); err != nil {
		return err
	}
	c.node = &node
	if c.hasData() {
		first, err := c.keptMembership()
		if err != nil {
			return err
		}
		if err := c.startEtcd(node, first); err != nil {
			return err
		}
	} else {
		c.startJoining()
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel, c.done = cancel, make(chan struct{})
	go func() {
		defer close(c.done)
		c.watch(ctx)
	}()
	return nil
}

// Update applies a changed configuration. It restarts the programs that would see a difference.
func (c *ControlPlane) Update(node Node) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.node == nil {
		return nil
	}
	c.node = &node
	var failures []error
	for name := range c.running {
		if name == podsProgram {
			continue
		}
		wanted, err := c.render(name, node)
		switch {
		case err != nil:
			failures = append(failures, err)
		case wanted == nil:
			c.stopProgram(name)
		case wanted.fingerprint() != c.running[name].fingerprint:
			c.options.Logf("restarting %s, its configuration changed", name)
			c.stopProgram(name)
			failures = append(failures, c.startProgram(wanted))
		}
	}
	return errors.Join(failures...)
}

// Stop ends all programs, etcd last.
func (c *ControlPlane) Stop() {
	if c.cancel != nil {
		c.cancel()
		<-c.done
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopJoining()
	c.stopPods()
	for _, name := range []string{"kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd"} {
		c.stopProgram(name)
	}
	c.node = nil
}

// current returns the present configuration. It returns false while the control plane is stopped.
func (c *ControlPlane) current() (Node, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.node == nil {
		return Node{}, false
	}
	return *c.node, true
}

// render returns a program's component, nil if the program is disabled.
func (c *ControlPlane) render(name string, node Node) (*component, error) {
	switch name {
	case "etcd":
		return c.etcd(node, membership{})
	case "kube-apiserver":
		return c.apiServer(node)
	case "kube-controller-manager":
		return c.controllerManager(node)
	case "kube-scheduler":
		return c.scheduler(node)
	}
	return nil, fmt.Errorf("there is no program %q", name)
}

// startEtcd starts the member. The initial membership is not part of the fingerprint, so it never causes a restart.
func (c *ControlPlane) startEtcd(node Node, first membership) error {
	steady, err := c.etcd(node, membership{})
	if err != nil {
		return err
	}
	starting, err := c.etcd(node, first)
	if err != nil {
		return err
	}
	if err := c.keepMembership(first); err != nil {
		return err
	}
	if err := c.startProgram(starting); err != nil {
		return err
	}
	c.running["etcd"].fingerprint = steady.fingerprint()
	return nil
}

// ensure starts a program if it should run and does not.
func (c *ControlPlane) ensure(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.node == nil || c.running[name] != nil {
		return nil
	}
	wanted, err := c.render(name, *c.node)
	if err != nil || wanted == nil {
		return err
	}
	return c.startProgram(wanted)
}

func (c *ControlPlane) startProgram(this *component) error {
	path := c.options.Lab.Programs[this.name]
	if path == "" {
		return fmt.Errorf("the lab's configuration names no program %s", this.name)
	}
	if this.image != "" {
		reporting, err := reporting(path, releaseOf(this.image), c.options.Lab.Path("programs"))
		if err != nil {
			return err
		}
		path = reporting
	}
	if err := this.write(); err != nil {
		return err
	}
	return c.launch(child.Spec{
		Name: this.name, Path: path, Args: this.flags, Env: this.env, Dir: this.dir,
		Log: c.LogPath(this.name), Restart: child.Always, StopTimeout: 8 * time.Second,
	}, this.fingerprint())
}

func (c *ControlPlane) launch(spec child.Spec, fingerprint string) error {
	if err := os.MkdirAll(filepath.Dir(spec.Log), 0o755); err != nil {
		return err
	}
	started, err := child.Start(context.Background(), spec)
	if err != nil {
		return err
	}
	c.running[spec.Name] = &program{Child: started, fingerprint: fingerprint, flags: spec.Args, message: "Started"}
	c.changed()
	return nil
}

func (c *ControlPlane) stopProgram(name string) {
	if running := c.running[name]; running != nil {
		running.Stop()
		delete(c.running, name)
		c.changed()
	}
}

func (c *ControlPlane) changed() {
	if c.options.OnChange != nil {
		go c.options.OnChange()
	}
}

func (c *ControlPlane) startJoining() {
	ctx, cancel := context.WithCancel(context.Background())
	c.joining = cancel
	go c.join(ctx, *c.node)
}

func (c *ControlPlane) stopJoining() {
	if c.joining != nil {
		c.joining()
		c.joining = nil
	}
}

// LogPath returns the path of a program's log.
func (c *ControlPlane) LogPath(program string) string {
	return c.options.Lab.Path("logs", c.options.Machine+"-"+program+".log")
}

func (c *ControlPlane) path(name string) string { return filepath.Join(c.options.Dir, name) }
