package supervisor

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"

	"hearth.dev/lab/internal/atomicfile"
	"hearth.dev/lab/internal/labconfig"
)

// lock makes this process the lab's only supervisor and writes <dir>/supervisor.pid. The file may stay: the kernel
// releases the lock with the process.
func lock(lab *labconfig.Lab) (release func(), err error) {
	file, err := os.OpenFile(lab.Path("supervisor.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("the lab in %s is already run by %s", lab.Dir, runner(lab))
		}
		return nil, fmt.Errorf("locking %s: %w", file.Name(), err)
	}
	pid := lab.Path("supervisor.pid")
	if err := atomicfile.Write(pid, fmt.Appendln(nil, os.Getpid()), 0o600); err != nil {
		file.Close()
		return nil, err
	}
	return func() {
		os.Remove(pid)
		file.Close()
	}, nil
}

func runner(lab *labconfig.Lab) string {
	raw, _ := os.ReadFile(lab.Path("supervisor.pid"))
	if pid, err := strconv.Atoi(strings.TrimSpace(string(raw))); err == nil {
		return fmt.Sprintf("the process with pid %d", pid)
	}
	return "another process, which is just starting or ending"
}

// openToken reads the bearer token from <dir>/supervisor.token, or creates it.
func openToken(lab *labconfig.Lab) (string, error) {
	path := lab.Path("supervisor.token")
	raw, err := os.ReadFile(path)
	if token := strings.TrimSpace(string(raw)); err == nil && token != "" {
		return token, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	token := rand.Text()
	return token, atomicfile.Write(path, []byte(token+"\n"), 0o600)
}
