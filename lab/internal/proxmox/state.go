package proxmox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"hearth.dev/lab/internal/faults"
	"hearth.dev/lab/internal/labconfig"
)

// state is what survives a restart of the simulator.
type state struct {
	VMs       map[int]*vm            `json:"vms"`
	Volumes   map[string]*volume     `json:"volumes"`
	Resources map[string]*haResource `json:"resources"`
	Rules     map[string]*haRule     `json:"rules"`
	Pools     map[string]*pool       `json:"pools"`
	Tasks     []*task                `json:"tasks"`
}

// cluster is the simulated cluster. mu guards state, processes and closing.
type cluster struct {
	lab    *labconfig.Lab
	faults faults.Queue
	// logs guards the logs of tasks, which are written with and without mu. It is taken after mu, never before.
	logs sync.Mutex

	mu        sync.Mutex
	state     state
	processes map[int]*process
	closing   bool
	pids      int
}

func (c *cluster) file() string { return c.lab.Path("proxmox", "state.json") }

// open reads the cluster's state, or starts with an empty one.
func open(lab *labconfig.Lab) (*cluster, error) {
	c := &cluster{lab: lab, processes: map[int]*process{}, pids: os.Getpid()}
	raw, err := os.ReadFile(c.file())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the state of Proxmox: %w", err)
	}
	if err == nil {
		if err := json.Unmarshal(raw, &c.state); err != nil {
			return nil, fmt.Errorf("%s is damaged: %w; run `npm run lab -- reset`", c.file(), err)
		}
	}
	c.state.fill()
	c.state.forgetUnfinished()
	for _, t := range c.state.Tasks {
		if t.Exit == "" {
			t.finish("unexpected status")
		}
	}
	return c, c.save()
}

// forgetUnfinished drops machines whose creation was interrupted.
func (s *state) forgetUnfinished() {
	for id, v := range s.VMs {
		if len(v.Config) == 0 {
			delete(s.VMs, id)
		}
	}
}

// fill makes maps that are not there.
func (s *state) fill() {
	if s.VMs == nil {
		s.VMs = map[int]*vm{}
	}
	if s.Volumes == nil {
		s.Volumes = map[string]*volume{}
	}
	if s.Resources == nil {
		s.Resources = map[string]*haResource{}
	}
	if s.Rules == nil {
		s.Rules = map[string]*haRule{}
	}
	if s.Pools == nil {
		s.Pools = map[string]*pool{}
	}
}

// save writes the state; the caller holds mu. The old file stays whole when that fails, for example on a full disk.
func (c *cluster) save() error {
	c.logs.Lock()
	raw, err := json.MarshalIndent(c.state, "", " ")
	c.logs.Unlock()
	if err != nil {
		return err
	}
	if err := writeAtomically(c.file(), raw); err != nil {
		return fmt.Errorf("saving the state of Proxmox: %w", err)
	}
	return nil
}

func writeAtomically(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = temporary.Write(content)
	if err == nil {
		err = temporary.Sync()
	}
	if closing := temporary.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temporary.Name())
	}
	return err
}

// change runs f while holding the lock and saves what it did; nothing is answered before it is on disk.
func (c *cluster) change(f func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := f(); err != nil {
		return err
	}
	return c.save()
}

func (c *cluster) isNode(name string) bool { return slices.Contains(c.lab.Proxmox.Nodes, name) }
