package talos

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/siderolabs/talos/pkg/machinery/api/common"
	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// console keeps the machine's latest log lines for `talosctl logs` and `talosctl dmesg`.
type console struct {
	mu    sync.Mutex
	lines [][]byte
	// next is closed and replaced with every line.
	next chan struct{}
	// count is the number of all lines ever written.
	count int
}

const keptLines = 2000

func newConsole() *console { return &console{next: make(chan struct{})} }

// Write adds one log line.
func (c *console) Write(line []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines = append(c.lines, bytes.Clone(line))
	if len(c.lines) > keptLines {
		c.lines = slices.Clone(c.lines[len(c.lines)-keptLines:])
	}
	c.count++
	close(c.next)
	c.next = make(chan struct{})
	return len(line), nil
}

// since returns the lines after the first n, and a channel that is closed when there are more.
func (c *console) since(n int) (lines [][]byte, count int, more <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	from := max(0, len(c.lines)-(c.count-n))
	return slices.Clone(c.lines[from:]), c.count, c.next
}

func (c *console) stream(ctx context.Context, stream grpc.ServerStreamingServer[common.Data], follow bool, tailLines int) error {
	from := 0
	if tailLines >= 0 {
		_, count, _ := c.since(0)
		from = max(0, count-tailLines)
	}
	for {
		lines, count, more := c.since(from)
		for _, line := range lines {
			if err := stream.Send(&common.Data{Bytes: line}); err != nil {
				return err
			}
		}
		if from = count; !follow {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-more:
		}
	}
}

// Dmesg returns the machine's own log, because the lab has no kernel log.
func (m *machined) Dmesg(in *machine.DmesgRequest, stream grpc.ServerStreamingServer[common.Data]) error {
	tail := -1
	if in.Tail {
		tail = 0
	}
	return m.machine.console.stream(stream.Context(), stream, in.Follow, tail)
}

// Logs returns the log of a service or of a control plane program.
func (m *machined) Logs(in *machine.LogsRequest, stream grpc.ServerStreamingServer[common.Data]) error {
	name := in.Id
	if in.Namespace != "system" {
		// The form is kube-system/kube-apiserver-NODE:kube-apiserver:ID.
		if parts := strings.Split(in.Id, ":"); len(parts) > 1 {
			name = parts[1]
		}
	}
	switch name {
	case "machined", "apid", "trustd", "kubelet":
		if m.services.get(name) == nil {
			break
		}
		return m.machine.console.stream(stream.Context(), stream, in.Follow, int(in.TailLines))
	case "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler":
		m.mu.Lock()
		plane := m.plane
		m.mu.Unlock()
		if plane == nil {
			break
		}
		return followFile(stream.Context(), stream, plane.LogPath(name), in.Follow, int(in.TailLines))
	}
	return status.Errorf(codes.NotFound, "log %q was not registered", in.Id)
}

// followFile streams a file, beginning with its last lines.
func followFile(ctx context.Context, stream grpc.ServerStreamingServer[common.Data], path string, follow bool, tailLines int) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("reading the log: %w", err)
	}
	defer file.Close()
	if err := skipTo(file, tailLines); err != nil {
		return err
	}
	for {
		if err := sendAll(stream, file); err != nil || !follow {
			return err
		}
		if !sleep(ctx, 500*time.Millisecond) {
			return ctx.Err()
		}
	}
}

// skipTo seeks to a file's last lines. A negative number keeps the start.
func skipTo(file *os.File, lines int) error {
	if lines < 0 {
		return nil
	}
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	const window = 1 << 20
	start := max(0, end-window)
	buffer := make([]byte, end-start)
	if _, err := file.ReadAt(buffer, start); err != nil && err != io.EOF {
		return err
	}
	at := len(buffer)
	for range lines {
		newline := bytes.LastIndexByte(buffer[:max(0, at-1)], '\n')
		if at = newline + 1; newline < 0 {
			break
		}
	}
	_, err = file.Seek(start+int64(at), io.SeekStart)
	return err
}
