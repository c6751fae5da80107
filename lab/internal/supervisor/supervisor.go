// Package supervisor is the parent of all processes of a lab. It starts them, restarts those that die, reports their
// status over HTTP, and ends them all when it ends.
//
// Its HTTP server is at labconfig.Lab.Supervisor.Address. Requests carry `Authorization: Bearer` with the content of
// <dir>/supervisor.token:
//
//	GET  /status          Status as JSON
//	POST /restart/<child> restarts a child, even one that was given up; 202, or 404 for an unknown name
//	POST /stop            stops everything, answers when every child has ended, and ends the supervisor
package supervisor

import (
	"context"
	"fmt"
	"log"
	"os"
	"sync"
	"time"

	"hearth.dev/lab/internal/authority"
	"hearth.dev/lab/internal/labconfig"
	"hearth.dev/lab/internal/proctree"
)

// memorySample is the interval at which the memory of the process tree is measured for the peak.
const memorySample = 10 * time.Second

// supervisor is the state of one run.
type supervisor struct {
	lab     *labconfig.Lab
	started time.Time
	token   string
	parts   []*part

	stopOnce sync.Once
	stopping chan struct{}
	stopped  chan struct{}

	mu   sync.Mutex
	peak int64
}

// Run starts everything in the lab. It returns when it has been told to stop and everything has ended.
func Run(ctx context.Context, lab *labconfig.Lab) error {
	s := &supervisor{lab: lab, started: time.Now(), stopping: make(chan struct{}), stopped: make(chan struct{})}
	if err := os.MkdirAll(lab.Dir, 0o700); err != nil {
		return unwritable(lab.Dir, err)
	}
	release, err := lock(lab)
	if err != nil {
		return unwritable(lab.Dir, err)
	}
	defer release()
	if s.token, err = openToken(lab); err != nil {
		return unwritable(lab.Dir, err)
	}
	// The children only read the authority, so that two of them cannot create it at once.
	if _, err := authority.Open(lab.Dir); err != nil {
		return unwritable(lab.Dir, err)
	}
	listener, err := listen(lab.Supervisor.Address)
	if err != nil {
		return err
	}
	defer listener.Close()
	defer s.stop()
	if err := s.startParts(); err != nil {
		return unwritable(lab.Dir, err)
	}
	// The server starts last, so that no request meets a half-started lab.
	shutdown := s.serve(listener)
	defer shutdown()
	log.Printf("the lab of stack %s runs with %d children", lab.Stack, len(s.parts))
	go s.measure()

	select {
	case <-ctx.Done():
	case <-s.stopping:
	}
	s.stop()
	return nil
}

// startParts starts the lab's parts in order.
func (s *supervisor) startParts() error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding the lab's own program: %w", err)
	}
	parts, err := partsOf(s.lab)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if err := p.start(program, s.lab); err != nil {
			return err
		}
		s.parts = append(s.parts, p)
	}
	return nil
}

// stop ends all children at the same time and returns when they have ended.
func (s *supervisor) stop() {
	s.stopOnce.Do(func() {
		close(s.stopping)
		var all sync.WaitGroup
		for _, p := range s.parts {
			all.Go(p.child.Stop)
		}
		all.Wait()
		close(s.stopped)
		log.Printf("the lab of stack %s has ended", s.lab.Stack)
	})
	<-s.stopped
}

// measure records the highest memory use.
func (s *supervisor) measure() {
	for tick := time.Tick(memorySample); ; {
		s.memory()
		select {
		case <-tick:
		case <-s.stopping:
			return
		}
	}
}

func (s *supervisor) memory() Memory {
	total, processes := proctree.Memory(os.Getpid())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.peak = max(s.peak, total)
	return Memory{Bytes: total, PeakBytes: s.peak, Processes: processes}
}
