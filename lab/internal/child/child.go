package child

import (
	"context"
	"fmt"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

const (
	firstPause    = 200 * time.Millisecond
	longestPause  = 10 * time.Second
	stable        = time.Minute
	rotationCheck = 30 * time.Second
)

// Child is a supervised process. Its methods are safe for concurrent use.
type Child struct {
	spec    Spec
	stop    chan struct{}
	stopped sync.Once
	restart chan struct{}
	done    chan struct{}

	mu     sync.Mutex
	status Status
	err    error

	// Used only by the goroutine that supervises the process.
	cmd    *exec.Cmd
	exited chan func() error
	deaths []time.Time
	pause  time.Duration
}

// Start starts a child and supervises it until Stop or the end of ctx.
func Start(ctx context.Context, spec Spec) (*Child, error) {
	if spec.StopTimeout == 0 {
		spec.StopTimeout = 10 * time.Second
	}
	c := &Child{
		spec: spec, pause: firstPause, status: Status{Name: spec.Name},
		stop: make(chan struct{}), restart: make(chan struct{}, 1), done: make(chan struct{}),
	}
	if err := c.begin(); err != nil {
		return nil, err
	}
	go c.look()
	release := context.AfterFunc(ctx, c.signalStop)
	go func() { <-c.done; release() }()
	return c, nil
}

// Status returns the child's present status.
func (c *Child) Status() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status
}

// Tail returns up to n of the last lines that the present or latest process logged.
func (c *Child) Tail(n int) []string { return Tail(c.spec.Log, n) }

// Done is closed when no process runs and none will be started: after Stop, or if the restart policy says so.
func (c *Child) Done() <-chan struct{} { return c.done }

// Wait waits for Done and returns the last process's error, nil for status 0.
func (c *Child) Wait() error {
	<-c.done
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Stop ends the child and returns when it has ended.
func (c *Child) Stop() {
	c.signalStop()
	<-c.done
}

// Restart ends the process and starts another immediately, even if the child was given up. It does not wait.
func (c *Child) Restart() {
	select {
	case c.restart <- struct{}{}:
	default:
	}
}

func (c *Child) signalStop() { c.stopped.Do(func() { close(c.stop) }) }

// begin starts one process.
func (c *Child) begin() error {
	cmd := exec.Command(c.spec.Path, c.spec.Args...)
	cmd.Env, cmd.Dir = c.spec.Env, c.spec.Dir
	if c.spec.Log != "" {
		log, err := openLog(c.spec.Log, c.spec.Name)
		if err != nil {
			return fmt.Errorf("opening the log of %s: %w", c.spec.Name, err)
		}
		defer log.Close()
		cmd.Stdout, cmd.Stderr = log, log
	}
	if err := Begin(cmd); err != nil {
		return fmt.Errorf("starting %s: %w", c.spec.Name, err)
	}
	exited := make(chan func() error, 1)
	go func() { exited <- awaitExit(cmd) }()
	c.cmd, c.exited = cmd, exited
	c.change(func(s *Status) {
		s.State, s.Pid, s.Started = Running, cmd.Process.Pid, time.Now()
	})
	return nil
}

// look runs the child after its first start, until it is done.
func (c *Child) look() {
	defer close(c.done)
	for {
		switch c.watch() {
		case wasStopped:
			c.change(func(s *Status) { s.State = Stopped })
			return
		case hasDied:
			if c.spec.Restart == Never || c.spec.Restart == OnFailure && c.lastError() == nil {
				c.change(func(s *Status) { s.State = Exited })
				return
			}
		case wasRestarted:
			c.deaths, c.pause = nil, 0
		}
		if !c.startAgain() {
			c.change(func(s *Status) { s.State = Stopped })
			return
		}
	}
}

type outcome int

const (
	hasDied outcome = iota
	wasStopped
	wasRestarted
)

// watch returns when the process has ended.
func (c *Child) watch() outcome {
	rotation := time.NewTicker(rotationCheck)
	defer rotation.Stop()
	for {
		select {
		case reap := <-c.exited:
			if time.Since(c.Status().Started) >= stable {
				c.pause = firstPause
			}
			c.ended(reap())
			c.died()
			return hasDied
		case <-c.stop:
			c.terminate()
			return wasStopped
		case <-c.restart:
			c.terminate()
			return wasRestarted
		case <-rotation.C:
			if c.spec.Log != "" {
				rotate(c.spec.Log)
			}
		}
	}
}

// terminate sends SIGTERM, and SIGKILL after the timeout.
func (c *Child) terminate() {
	if c.spec.StopTimeout > 0 {
		_ = c.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case reap := <-c.exited:
			c.ended(reap())
			return
		case <-time.After(c.spec.StopTimeout):
		}
	}
	killGroup(c.cmd)
	c.ended((<-c.exited)())
}

// startAgain starts the next process, after a pause that grows with every death. It returns false if Stop came first.
func (c *Child) startAgain() bool {
	for {
		if c.tooManyDeaths() {
			c.change(func(s *Status) { s.State = Failed })
			select {
			case <-c.stop:
				return false
			case <-c.restart:
				c.deaths, c.pause = nil, 0
			}
		}
		if c.pause > 0 {
			c.change(func(s *Status) { s.State = Waiting })
			select {
			case <-c.stop:
				return false
			case <-c.restart:
			case <-time.After(c.pause):
			}
		}
		c.pause = min(max(2*c.pause, firstPause), longestPause)
		err := c.begin()
		if err == nil {
			c.change(func(s *Status) { s.Restarts++ })
			return true
		}
		c.ended(err)
		c.died()
	}
}

// died records the time of a death. It keeps as many as GiveUp needs.
func (c *Child) died() {
	c.deaths = append(c.deaths, time.Now())
	c.deaths = c.deaths[max(0, len(c.deaths)-c.spec.GiveUp):]
}

func (c *Child) tooManyDeaths() bool {
	n := c.spec.GiveUp
	return n > 0 && len(c.deaths) >= n && time.Since(c.deaths[len(c.deaths)-n]) <= c.spec.GiveUpWithin
}

// ended records how the process ended.
func (c *Child) ended(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
	c.status.Pid = 0
	c.status.LastExit = "exit status 0"
	if err != nil {
		c.status.LastExit = err.Error()
	}
}

func (c *Child) lastError() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *Child) change(f func(*Status)) {
	c.mu.Lock()
	f(&c.status)
	status := c.status
	c.mu.Unlock()
	if c.spec.OnChange != nil {
		c.spec.OnChange(status)
	}
}
