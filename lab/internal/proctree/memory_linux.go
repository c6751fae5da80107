package proctree

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Memory returns the memory of the process root and its descendants, in bytes, and their number. Shared memory counts
// once.
func Memory(root int) (total int64, processes int) {
	children := map[int][]int{}
	for _, pid := range pids() {
		if parent, ok := parentOf(pid); ok {
			children[parent] = append(children[parent], pid)
		}
	}
	for queue := []int{root}; len(queue) > 0; queue = queue[1:] {
		queue = append(queue, children[queue[0]]...)
		if size, ok := memoryOf(queue[0]); ok {
			total += size
			processes++
		}
	}
	return total, processes
}

func pids() []int {
	entries, _ := os.ReadDir("/proc")
	var all []int
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil {
			all = append(all, pid)
		}
	}
	return all
}

// parentOf reads the fourth field of /proc/PID/stat. The second, the name, is in parentheses and may hold anything.
func parentOf(pid int) (int, bool) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, false
	}
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	if len(fields) < 2 {
		return 0, false
	}
	parent, err := strconv.Atoi(fields[1])
	return parent, err == nil
}

// memoryOf returns the proportional set size, or the resident set size if the kernel does not report the former.
func memoryOf(pid int) (int64, bool) {
	for _, source := range [...]struct{ file, field string }{{"smaps_rollup", "Pss:"}, {"status", "VmRSS:"}} {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, source.file))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(raw)) {
			if rest, ok := strings.CutPrefix(line, source.field); ok {
				kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
				return kib << 10, err == nil
			}
		}
	}
	return 0, false
}
