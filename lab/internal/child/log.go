package child

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// logLimit is the size, in bytes, at which a log is moved to LOG.1, which it replaces.
const logLimit = 10 << 20

// start matches the line that each start adds to a log.
var start = regexp.MustCompile(`^=== .+ started \d{4}-\d\d-\d\dT`)

// IsStart reports whether a line of a log marks a start. Programs may use the same mark for lines of their own.
func IsStart(line []byte) bool { return start.Match(line) }

// openLog opens the log for appending and adds the line that marks a start of name.
func openLog(path, name string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	rotate(path)
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	end := ""
	if isCutOff(file) {
		end = "\n"
	}
	if _, err := fmt.Fprintf(file, "%s=== %s started %s\n", end, name, time.Now().Format(time.RFC3339)); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// isCutOff reports whether the log's last line is incomplete.
func isCutOff(file *os.File) bool {
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return false
	}
	last := make([]byte, 1)
	_, err = file.ReadAt(last, info.Size()-1)
	return err == nil && last[0] != '\n'
}

// rotate copies a log that is too large to LOG.1 and empties it. It does not rename the log, because a running process
// has it open for appending. Without room for the copy the old lines are lost.
func rotate(path string) {
	info, err := os.Stat(path)
	if err != nil || info.Size() <= logLimit {
		return
	}
	if err := copyFile(path, path+".1"); err != nil {
		os.Remove(path + ".1")
	}
	_ = os.Truncate(path, 0)
}

func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(target, source); err != nil {
		target.Close()
		return err
	}
	return target.Close()
}

// Tail returns up to n of the last lines of a log since its latest start, oldest first.
func Tail(path string, n int) []string {
	const window = 64 << 10
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() > window {
		_, _ = file.Seek(-window, io.SeekEnd)
	}
	raw, err := io.ReadAll(io.LimitReader(file, window))
	if err != nil {
		return nil
	}
	var lines []string
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case IsStart([]byte(line)):
			lines = nil
		case line != "":
			lines = append(lines, line)
		}
	}
	return lines[max(0, len(lines)-n):]
}
