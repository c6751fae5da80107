//go:build !linux

package child

import (
	"os/exec"
	"syscall"
)

// bind makes the command a group leader. Only Linux has a parent-death signal.
func bind(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
}

// awaitExit returns when the process has ended. The returned function returns its error.
func awaitExit(cmd *exec.Cmd) func() error {
	err := cmd.Wait()
	return func() error { return err }
}

// killGroup kills the process and all of its group. The process must not have been reaped.
func killGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
