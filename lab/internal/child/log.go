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

// logLimit is the size in bytes at which a log moves to LOG.1, replacing the one before.
const logLimit = 10 << 20

// start matches the line that a log gets at each start.
var start = regexp.MustCompile(`^=== .+ started \d{4}-\d\d-\d\dT`)

// IsStart tells whether a log's line says that a process starts. Programs may open lines of their own with the same sign.
func IsStart(line []byte) bool { return start.Match(line) }

// openLog opens the log for appending and says in it that name starts now.
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

// isCutOff tells whether a log ends in the middle of a line: what wrote it last ended without ending the line.
func isCutOff(file *os.File) bool {
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return false
	}
	last := make([]byte, 1)
	_, err = file.ReadAt(last, info.Size()-1)
	return err == nil && last[0] != '\n'
}

// rotate empties a log that is too large, after copying it to LOG.1. It is not renamed, since a running process holds
// it open; that process appends, so it goes on at the new end. Without room for the copy the old lines are dropped.
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

// Tail gives at most n of the last lines that a log holds since its latest start, oldest first.
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
