package child

import (
	"os/exec"
	"runtime"
	"sync"
)

type request struct {
	cmd    *exec.Cmd
	result chan error
}

// starter hands commands to the one thread that starts them all. Linux sends the parent-death signal when the thread
// that created the child ends, even if its process still runs. So that thread must never end: its goroutine is locked
// to it and never returns.
var starter = sync.OnceValue(func() chan<- request {
	requests := make(chan request)
	go func() {
		runtime.LockOSThread()
		for r := range requests {
			r.result <- r.cmd.Start()
		}
	}()
	return requests
})

// Begin is like cmd.Start. It puts cmd into its own process group and ends it with this process.
func Begin(cmd *exec.Cmd) error {
	bind(cmd)
	result := make(chan error, 1)
	starter() <- request{cmd, result}
	return <-result
}

// Run is Begin followed by cmd.Wait.
func Run(cmd *exec.Cmd) error {
	if err := Begin(cmd); err != nil {
		return err
	}
	return cmd.Wait()
}
