package child

import (
	"errors"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// bind makes the command a group leader that dies with its parent. A command that already has SysProcAttr keeps it.
func bind(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
}

// awaitExit returns when the process has ended but is not yet reaped, so that its group's number cannot be another's
// while the group is killed. The function it gives reaps.
func awaitExit(cmd *exec.Cmd) func() error {
	for {
		err := unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	return func() error {
		killGroup(cmd)
		return cmd.Wait()
	}
}

// killGroup kills the process and whatever it left in its group. The process must not have been reaped.
func killGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
