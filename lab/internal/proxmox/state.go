package proxmox

import (
	"os"
	"slices"
	"sync"

	"hearth.dev/lab/internal/factory"
	"hearth.dev/lab/internal/faults"
	"hearth.dev/lab/internal/labconfig"
	"hearth.dev/lab/internal/statefile"
)

// state survives a restart of the simulator.
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
	images *factory.Factory
	faults faults.Queue
	// tickets are for the users that signed in with a password.
	tickets tickets
	// logs guards the logs of tasks, which are written with and without mu. It is locked after mu, never before.
	logs sync.Mutex

	mu        sync.Mutex
	state     state
	processes map[int]*process
	closing   bool
	pids      int
}

func (c *cluster) file() string { return c.lab.Path("proxmox", "state.json") }

// open reads the cluster's state. Without a file the state is empty.
func open(lab *labconfig.Lab) (*cluster, error) {
	c := &cluster{lab: lab, images: factory.Open(lab), processes: map[int]*process{}, pids: os.Getpid(), tickets: newTickets()}
	if err := statefile.Read(c.file(), &c.state, "run `npm run lab -- reset`"); err != nil {
		return nil, err
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

// forgetUnfinished removes machines whose creation was interrupted.
func (s *state) forgetUnfinished() {
	for id, v := range s.VMs {
		if len(v.Config) == 0 {
			delete(s.VMs, id)
		}
	}
}

// fill creates missing maps.
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

// save writes the state. The caller holds mu.
func (c *cluster) save() error {
	c.logs.Lock()
	defer c.logs.Unlock()
	return statefile.Write(c.file(), &c.state)
}

// change runs f with the lock and saves the result, before the request is answered.
func (c *cluster) change(f func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := f(); err != nil {
		return err
	}
	return c.save()
}

func (c *cluster) isNode(name string) bool { return slices.Contains(c.lab.Proxmox.Nodes, name) }
