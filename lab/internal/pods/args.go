package pods

import (
	"maps"
	"net"
	"slices"
	"strings"
)

// arguments are what the process of a container is started with: what the pod says, listening on the pod's loopback
// address only, and with the flags that the lab fixes.
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

// listenOn moves an address that means "every interface" or the pod's own to the loopback address.
func listenOn(value, podAddress, local string) string {
	host, port, err := net.SplitHostPort(value)
	if err != nil {
		// Not an address: controller-runtime takes "0" for not listening at all.
		return value
	}
	if host == "" || host == podAddress || net.ParseIP(host).IsUnspecified() {
		return net.JoinHostPort(local, port)
	}
	return value
}

// flagValue is the last value that args give a flag, as --name=value or as --name value.
func flagValue(args []string, name string) (value string, found bool) {
	eachFlag(args, name, func(_, _ int, v string) { value, found = v, true })
	return value, found
}

// setFlag returns args with one --name=value, at the place of the first one they had or at their end.
func setFlag(args []string, name, value string) []string {
	var kept []string
	next, place := 0, -1
	eachFlag(args, name, func(start, end int, _ string) {
		kept = append(kept, args[next:start]...)
		next = end
		if place < 0 {
			place = len(kept)
		}
	})
	kept = append(kept, args[next:]...)
	if place < 0 {
		place = len(kept)
	}
	return slices.Insert(kept, place, "--"+name+"="+value)
}

// eachFlag calls f with the range that each occurrence of a flag takes in args. A following argument that starts
// with a dash is not its value.
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

// mount is where a path of the container's file system is on this computer.
type mount struct {
	// path is absolute in the container.
	path string
	// source is absolute here.
	source string
}

// relocated replaces every path below a mount in text by where it is. A path starts at the text's start or after one
// of the characters that commonly come before one, and ends at a slash, such a character or the end.
func relocated(text string, mounts []mount) string {
	// Among them are those that a shell's script has around a path.
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
