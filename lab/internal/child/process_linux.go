package child

import (
	"errors"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// bind makes the command a group leader that dies with its parent. It does not change an existing SysProcAttr.
func bind(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
}

// awaitExit returns when the process has ended, but does not reap it. Its process group's number cannot be reused until
// then, so the group can be killed safely. The returned function reaps the process.
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

// killGroup kills the process and all of its group. The process must not have been reaped.
func killGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
