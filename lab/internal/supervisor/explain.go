package supervisor

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"syscall"

	"hearth.dev/lab/internal/proctree"
)

// inUse matches the error of Go's net package for an occupied address.
var inUse = regexp.MustCompile(`listen \w+ (\S+): bind: address already in use`)

// explain says in one line why a process died, from its exit and its last log lines.
func explain(dir string, lines []string, exit string) string {
	last := exit
	// Otherwise a signal ended the process, or it did not start: its log says nothing about that.
	if strings.HasPrefix(exit, "exit status ") && len(lines) > 0 {
		last = strings.TrimPrefix(lines[len(lines)-1], "hearth-lab: ")
	}
	if match := inUse.FindStringSubmatch(last); match != nil {
		return busy(match[1])
	}
	if strings.Contains(last, syscall.ENOSPC.Error()) {
		return full(dir)
	}
	return last
}

func busy(address string) string {
	holder := "another process"
	if pid, name := proctree.Holder(address); pid != 0 {
		holder = fmt.Sprintf("another process, %s with pid %d", name, pid)
	}
	return fmt.Sprintf("%s is in use by %s; end that process and run `npm run lab` again", address, holder)
}

func full(dir string) string {
	return fmt.Sprintf("the disk that holds %s is full; free some space and run `npm run lab` again", dir)
}

// unwritable turns an error about the lab's folder into one line that says what to do.
func unwritable(dir string, err error) error {
	for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT} {
		if errors.Is(err, full) {
			return fmt.Errorf("the disk that holds %s is full (%w); free some space", dir, err)
		}
	}
	for _, forbidden := range []error{fs.ErrPermission, syscall.EROFS, syscall.ENOTDIR} {
		if errors.Is(err, forbidden) {
			return fmt.Errorf("the lab's folder %s cannot be written (%w); make it writable", dir, err)
		}
	}
	return err
}
