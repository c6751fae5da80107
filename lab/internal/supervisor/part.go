package supervisor

import (
	"context"
	"log"
	"sync"
	"time"

	"hearth.dev/lab/internal/child"
	"hearth.dev/lab/internal/labconfig"
	"hearth.dev/lab/internal/proctree"
)

// A part that dies giveUp times within giveUpWithin would only go on doing so.
const (
	giveUp       = 5
	giveUpWithin = 30 * time.Second
	// lastLines is how much of a dead part's log status shows.
	lastLines = 10
)

// part is one process of the lab and what is known of it.
type part struct {
	name    string
	address string
	args    []string
	// stopTimeout is how long it may take to stop.
	stopTimeout time.Duration

	dir   string
	log   string
	child *child.Child

	mu      sync.Mutex
	problem string
	lines   []string
}

// start starts the part by running this program's own file with its subcommand.
func (p *part) start(program string, lab *labconfig.Lab) (err error) {
	p.dir, p.log = lab.Dir, lab.Path("logs", p.name+".log")
	// Not the caller's context: all parts are stopped together, and waited for.
	p.child, err = child.Start(context.Background(), child.Spec{
		Name: p.name, Path: program, Args: p.args, Log: p.log,
		Restart: child.Always, GiveUp: giveUp, GiveUpWithin: giveUpWithin,
		StopTimeout: p.stopTimeout, OnChange: p.changed,
	})
	return err
}

// changed notes and logs why a part has died.
func (p *part) changed(status child.Status) {
	if status.State != child.Waiting && status.State != child.Failed {
		return
	}
	lines := child.Tail(p.log, lastLines)
	problem := explain(p.dir, lines, status.LastExit)
	p.mu.Lock()
	known := p.problem == problem
	p.problem, p.lines = problem, lines
	p.mu.Unlock()
	if !known {
		log.Printf("%s: %s", p.name, problem)
	}
	if status.State == child.Failed {
		log.Printf("%s died %d times within %s and is given up; its log is %s", p.name, giveUp, giveUpWithin, p.log)
	}
}

// Child is what status tells of a part.
type Child struct {
	child.Status
	// Ready means that the process listens at Address.
	Ready   bool   `json:"ready"`
	Address string `json:"address"`
	// Error says in one line why it is not ready, where that is known: why its previous process died.
	Error string `json:"error,omitempty"`
	// Lines are the last ones that the process logged before it was given up.
	Lines []string `json:"lines,omitempty"`
	// Log is the path of its log.
	Log string `json:"log"`
}

func (p *part) status() Child {
	status := Child{Status: p.child.Status(), Address: p.address, Log: p.log}
	status.Ready = status.State == child.Running && proctree.Listens(status.Pid, p.address)
	p.mu.Lock()
	defer p.mu.Unlock()
	if status.Ready {
		p.problem, p.lines = "", nil
	}
	status.Error = p.problem
	if status.State == child.Failed {
		status.Lines = p.lines
	}
	return status
}
