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

// A part that dies giveUp times within giveUpWithin is not restarted.
const (
	giveUp       = 5
	giveUpWithin = 30 * time.Second
	// lastLines is how many lines of a dead part's log the status shows.
	lastLines = 10
)

// part is a process of the lab and its present status.
type part struct {
	name    string
	address string
	// lease is where a machine listens until its configuration sets address. Empty where nothing else does.
	lease string
	args  []string
	// stopTimeout is how long the part may take to stop.
	stopTimeout time.Duration

	dir   string
	log   string
	child *child.Child

	mu      sync.Mutex
	problem string
	lines   []string
}

// start starts the part: this program with the part's subcommand.
func (p *part) start(program string, lab *labconfig.Lab) (err error) {
	p.dir, p.log = lab.Dir, lab.Path("logs", p.name+".log")
	// Not the caller's context: the supervisor stops all parts together and waits for them.
	p.child, err = child.Start(context.Background(), child.Spec{
		Name: p.name, Path: program, Args: p.args, Log: p.log,
		Restart: child.Always, GiveUp: giveUp, GiveUpWithin: giveUpWithin,
		StopTimeout: p.stopTimeout, OnChange: p.changed,
	})
	return err
}

// changed records and logs why a part has died.
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

// Child is a part's status.
type Child struct {
	child.Status
	// Ready means that the process listens at Address, or a machine where its network has put it.
	Ready   bool   `json:"ready"`
	Address string `json:"address"`
	// Error says in one line why the part is not ready. Empty if that is unknown.
	Error string `json:"error,omitempty"`
	// Lines are the last log lines of a process that was given up.
	Lines []string `json:"lines,omitempty"`
	// Log is the path of the log.
	Log string `json:"log"`
}

func (p *part) listens(pid int) bool {
	return proctree.Listens(pid, p.address) || p.lease != "" && proctree.Listens(pid, p.lease)
}

func (p *part) status() Child {
	status := Child{Status: p.child.Status(), Address: p.address, Log: p.log}
	status.Ready = status.State == child.Running && p.listens(status.Pid)
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
