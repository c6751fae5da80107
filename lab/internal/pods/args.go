package pods

import (
	"maps"
	"net"
	"slices"
	"strings"
)

// arguments are the arguments of a container's process: those of the pod, with listening addresses moved to the pod's
// loopback address, and with the lab's fixed flags.
func (p *program) arguments(given []string, podAddress, local string) []string {
	args := slices.Concat(p.args, given)
	for _, name := range slices.Sorted(maps.Keys(p.listens)) {
		value, ok := flagValue(args, name)
		if !ok {
			value = ":" + p.listens[name]
		}
		args = setFlag(args, name, listenOn(value, podAddress, local))
	}
	for _, name := range slices.Sorted(maps.Keys(p.fixed)) {
		args = setFlag(args, name, p.fixed[name])
	}
	return args
}

// listenOn moves a listening address to the loopback address if it means every interface or the pod's own address.
func listenOn(value, podAddress, local string) string {
	host, port, err := net.SplitHostPort(value)
	if err != nil {
		// Not an address. In controller-runtime, "0" means not to listen.
		return value
	}
	if host == "" || host == podAddress || net.ParseIP(host).IsUnspecified() {
		return net.JoinHostPort(local, port)
	}
	return value
}

// flagValue returns the last value of a flag in args, given as --name=value or --name value.
func flagValue(args []string, name string) (value string, found bool) {
	eachFlag(args, name, func(_, _ int, v string) { value, found = v, true })
	return value, found
}

// setFlag returns args with a single --name=value, in the position of the flag's first occurrence or at the end.
func setFlag(args []string, name, value string) []string {
	var kept []string
	next, position := 0, -1
	eachFlag(args, name, func(start, end int, _ string) {
		kept = append(kept, args[next:start]...)
		next = end
		if position < 0 {
			position = len(kept)
		}
	})
	kept = append(kept, args[next:]...)
	if position < 0 {
		position = len(kept)
	}
	return slices.Insert(kept, position, "--"+name+"="+value)
}

// eachFlag calls f with the range of each occurrence of a flag in args. A following argument that starts with a dash is
// not its value.
func eachFlag(args []string, name string, f func(start, end int, value string)) {
	for i := 0; i < len(args); i++ {
		if value, ok := strings.CutPrefix(args[i], "--"+name+"="); ok {
			f(i, i+1, value)
		} else if args[i] == "--"+name {
			if i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
				f(i, i+2, args[i+1])
				i++
			} else {
				f(i, i+1, "")
			}
		}
	}
}

// mount maps a path in a container to a path on this computer.
type mount struct {
	// path is the absolute path in the container.
	path string
	// source is the absolute path on this computer.
	source string
}

// relocated replaces every path below a mount in text by its path on this computer. A path starts at the beginning of
// the text or after a character of around, and ends at a slash, such a character or the end.
func relocated(text string, mounts []mount) string {
	// These include the characters around a path in a shell script.
	const around = "=,:; \t\n\"'`<>()|&"
	longestFirst := slices.SortedFunc(slices.Values(mounts), func(a, b mount) int { return len(b.path) - len(a.path) })
	var out strings.Builder
	for i := 0; i < len(text); {
		moved := false
		if i == 0 || strings.ContainsRune(around, rune(text[i-1])) {
			for _, m := range longestFirst {
				rest, ok := strings.CutPrefix(text[i:], m.path)
				if ok && (rest == "" || rest[0] == '/' || strings.ContainsRune(around, rune(rest[0]))) {
					out.WriteString(m.source)
					i, moved = i+len(m.path), true
					break
				}
			}
		}
		if !moved {
			out.WriteByte(text[i])
			i++
		}
	}
	return out.String()
}
