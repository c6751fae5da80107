package pods

import (
	"bytes"
	"context"
	"io"
	"os"

	"hearth.dev/lab/internal/child"
)

// logOptions are the options of `kubectl logs`.
type logOptions struct {
	// previous selects the process before the present one.
	previous bool
	// follow continues as the log grows.
	follow bool
	// tail is the number of last lines to begin with. Negative means all.
	tail int
	// limit is the maximum number of bytes to write. 0 means no limit.
	limit int64
}

// copyLog writes the part of a container's log that belongs to one process.
func copyLog(ctx context.Context, to io.Writer, path string, options logOptions) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	raw, err := io.ReadAll(file)
	if err != nil {
		return err
	}
	content := lastLines(ofProcess(raw, options.previous), options.tail)
	if options.limit > 0 && int64(len(content)) > options.limit {
		content = content[:options.limit]
	}
	if _, err := to.Write(content); err != nil || !options.follow || options.previous || options.limit > 0 {
		return err
	}
	for size := int64(len(raw)); sleep(ctx, followPause); {
		info, err := file.Stat()
		if err != nil {
			return err
		}
		if info.Size() < size {
			// The log was rotated because it was too large.
			size = 0
		}
		grown, err := io.ReadAll(io.NewSectionReader(file, size, info.Size()-size))
		if err != nil {
			return err
		}
		if size += int64(len(grown)); len(grown) > 0 {
			if _, err := to.Write(grown); err != nil {
				return err
			}
		}
	}
	return nil
}

// ofProcess returns the part of the log that the last process wrote, or the one before it.
func ofProcess(raw []byte, previous bool) []byte {
	processes := [][]byte{nil}
	for line := range bytes.Lines(raw) {
		if child.IsStart(line) {
			processes = append(processes, nil)
			continue
		}
		last := len(processes) - 1
		processes[last] = append(processes[last], line...)
	}
	last := len(processes) - 1
	if previous {
		last--
	}
	return processes[max(last, 0)]
}

// lastLines returns the last n lines, all if n is negative.
func lastLines(text []byte, n int) []byte {
	if n < 0 {
		return text
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	if len(lines) > 0 && len(lines[len(lines)-1]) == 0 {
		lines = lines[:len(lines)-1]
	}
	return bytes.Join(lines[max(0, len(lines)-n):], nil)
}
