package proctree

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Listens reports whether this very process listens on address, a host:port of IPv4.
func Listens(pid int, address string) bool {
	want, err := netip.ParseAddrPort(address)
	if err != nil {
		return false
	}
	for _, socket := range listening() {
		if socket.address == want && holds(pid, socket.inode) {
			return true
		}
	}
	return false
}

// Holder finds the process that occupies address. The pid is 0 if it is unknown.
func Holder(address string) (pid int, name string) {
	want, err := netip.ParseAddrPort(address)
	if err != nil {
		return 0, ""
	}
	for _, socket := range listening() {
		same := socket.address == want
		wildcard := socket.address.Port() == want.Port() && socket.address.Addr().IsUnspecified()
		if !same && !wildcard {
			continue
		}
		for _, pid := range pids() {
			if holds(pid, socket.inode) {
				comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
				return pid, strings.TrimSpace(string(comm))
			}
		}
	}
	return 0, ""
}

type socket struct {
	address netip.AddrPort
	inode   string
}

// listening returns the machine's listening TCP sockets.
func listening() []socket {
	var all []socket
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		raw, _ := os.ReadFile(file)
		for line := range strings.Lines(string(raw)) {
			const stateListen = "0A"
			fields := strings.Fields(line)
			if len(fields) < 10 || fields[3] != stateListen {
				continue
			}
			if address, ok := parseAddress(fields[1]); ok {
				all = append(all, socket{address, fields[9]})
			}
		}
	}
	return all
}

// parseAddress parses the kernel's notation: the address in 32-bit words in little-endian order, then the port.
func parseAddress(text string) (netip.AddrPort, bool) {
	host, port, _ := strings.Cut(text, ":")
	raw, err := hex.DecodeString(host)
	if err != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}, false
	}
	for word := range slices.Chunk(raw, 4) {
		slices.Reverse(word)
	}
	address, ok := netip.AddrFromSlice(raw)
	number, err := strconv.ParseUint(port, 16, 16)
	return netip.AddrPortFrom(address.Unmap(), uint16(number)), ok && err == nil
}

func holds(pid int, inode string) bool {
	folder := fmt.Sprintf("/proc/%d/fd", pid)
	entries, _ := os.ReadDir(folder)
	for _, entry := range entries {
		if target, _ := os.Readlink(folder + "/" + entry.Name()); target == "socket:["+inode+"]" {
			return true
		}
	}
	return false
}
