package proxmox

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// fields are the parts of a property string, for example "local:100/vm-100-disk-0.raw,size=20G".
type fields map[string]string

// parse parses and checks the property string of the parameter at path.
func (s schema) parse(path, value string) (fields, error) {
	found := fields{}
	for part := range strings.SplitSeq(value, ",") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		key, content, keyed := strings.Cut(part, "=")
		if !keyed {
			main := s.main()
			if main == "" {
				return nil, fmt.Errorf("value without key, but schema does not define a default key\n")
			}
			if _, twice := found[main]; twice {
				return nil, duplicate(main)
			}
			found[main] = s[main].plainBoolean(part)
			continue
		}
		if key == "" || content == "" {
			return nil, fmt.Errorf("missing key in comma-separated list property\n")
		}
		if err := s.put(found, key, content); err != nil {
			return nil, err
		}
	}
	if wrong := s.checkBelow(path, found); len(wrong) > 0 {
		lines := "format error\n"
		for _, name := range slices.Sorted(maps.Keys(wrong)) {
			lines += name + ": " + wrong[name] + "\n"
		}
		return nil, fmt.Errorf("%s", lines)
	}
	return found, nil
}

func (s schema) put(found fields, key, content string) error {
	if _, twice := found[key]; twice {
		return duplicate(key)
	}
	// An unknown key is reported when the values are checked.
	p := s[key]
	if p.alias != "" {
		if p.aliasOf != "" {
			if _, twice := found[p.aliasOf]; twice {
				return fmt.Errorf("key alias '%s' is already defined\n", p.aliasOf)
			}
			found[p.aliasOf] = key
		}
		key = p.alias
		p = s[key]
		if _, twice := found[key]; twice {
			return fmt.Errorf("key '%s' is already defined (via alias)\n", key)
		}
	}
	found[key] = p.plainBoolean(content)
	return nil
}

func duplicate(key string) error {
	return fmt.Errorf("duplicate key in comma-separated list property: %s\n", key)
}

func (s schema) main() string {
	for name, p := range s {
		if p.main {
			return name
		}
	}
	return ""
}

// plainBoolean turns on, yes and true into 1, and off, no and false into 0.
func (p property) plainBoolean(value string) string {
	if p.kind != kindBoolean {
		return value
	}
	switch strings.ToLower(value) {
	case "1", "on", "yes", "true":
		return "1"
	case "0", "off", "no", "false":
		return "0"
	}
	return value
}

// print formats fields as Proxmox stores them: the main part without its key, then the required parts, then the others
// by name.
func (s schema) print(values fields) string {
	var out []string
	done := map[string]bool{}
	add := func(name string, keyed bool) {
		value, given := values[name]
		if !given || done[name] {
			return
		}
		done[name] = true
		if s[name].bytes {
			value = formatSize(mustParseSize(value))
		}
		if combined := s.combinedWith(name); combined != "" && values[combined] != "" {
			done[combined] = true
			out = append(out, value+"="+values[combined])
			return
		}
		if keyed {
			value = name + "=" + value
		}
		out = append(out, value)
	}
	add(s.main(), false)
	names := slices.Sorted(maps.Keys(values))
	for _, name := range names {
		if s[name].required {
			add(name, true)
		}
	}
	for _, name := range names {
		add(name, true)
	}
	return strings.Join(out, ",")
}

// combinedWith returns the part that is printed together with name, as in virtio=BC:24:11:00:00:01.
func (s schema) combinedWith(name string) string {
	for _, p := range s {
		if p.aliasOf == name {
			return p.alias
		}
	}
	return ""
}
