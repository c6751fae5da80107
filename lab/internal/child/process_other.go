//go:build !linux

package child

import (
	"os/exec"
	"syscall"
)

// bind makes the command a group leader. There is no parent-death signal here.
func bind(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
}

// awaitExit returns when the process has ended; the function it gives tells how.
func awaitExit(cmd *exec.Cmd) func() error {
	err := cmd.Wait()
	return func() error { return err }
}

// killGroup kills the process and whatever it left in its group. The process must not have been reaped.
func killGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
