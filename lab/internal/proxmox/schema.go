package proxmox

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

type kind string

const (
	kindString  kind = "string"
	kindInteger kind = "integer"
	kindNumber  kind = "number"
	kindBoolean kind = "boolean"
)

// schema maps the names of parameters, or of the parts of one parameter, to their properties.
type schema map[string]property

// property describes a value. Build it with text, enum, matching, formatted, flag, integer, number or parts.
type property struct {
	kind     kind
	required bool
	enum     []string
	pattern  *regexp.Regexp
	// format returns what is wrong with a value.
	format func(string) error
	// parts is the schema of a value that is a list of key=value. whole checks the parts together.
	parts       schema
	whole       func(fields) error
	least, most float64
	maxLength   int
	requires    string
	// variants maps the values of "type" for which a property exists to whether it is required.
	variants map[string]bool
	unknown  bool
	// main is the part whose key may be omitted.
	main bool
	// alias is the part that this key stands for. aliasOf is the part that then gets the key as its value.
	alias, aliasOf string
	// bytes marks a size that is printed with the largest unit that divides it.
	bytes bool
}

func blank(k kind) property { return property{kind: k, least: math.Inf(-1), most: math.Inf(1)} }

func text() property { return blank(kindString) }

func flag() property { return blank(kindBoolean) }

func enum(values ...string) property {
	p := text()
	p.enum = values
	return p
}

// matching requires that a pattern matches the whole value.
func matching(pattern string) property {
	p := text()
	p.pattern = regexp.MustCompile(`^(?:` + pattern + `)$`)
	return p
}

func formatted(format func(string) error) property {
	p := text()
	p.format = format
	return p
}

func integer(least, most float64) property {
	p := blank(kindInteger)
	p.least, p.most = least, most
	return p
}

func number(least, most float64) property {
	p := blank(kindNumber)
	p.least, p.most = least, most
	return p
}

func atLeast(least float64) property { return integer(least, math.Inf(1)) }

func anyInteger() property { return blank(kindInteger) }

func parts(of schema) property {
	p := text()
	p.parts = of
	return p
}

func (p property) checkedBy(whole func(fields) error) property { p.whole = whole; return p }

// only restricts a property to objects of the given types. required says whether these need it.
func (p property) only(required bool, types ...string) property {
	p.variants = map[string]bool{}
	for _, one := range types {
		p.variants[one] = required
	}
	return p
}

func (p property) need() property { p.required = true; return p }

func (p property) asMain() property { p.main = true; return p }

func (p property) requiring(other string) property { p.requires = other; return p }

func (p property) upTo(characters int) property { p.maxLength = characters; return p }

// with merges schemas.
func with(schemas ...schema) schema {
	all := schema{}
	for _, s := range schemas {
		for name, p := range s {
			all[name] = p
		}
	}
	return all
}

// numbered returns one property for each of name0 to name<count-1>.
func numbered(name string, count int, p property) schema {
	all := schema{}
	for i := range count {
		all[name+strconv.Itoa(i)] = p
	}
	return all
}

// check returns what is wrong with values, by name. It returns an empty map if they match the schema.
func (s schema) check(values map[string]string) map[string]string { return s.checkBelow("", values) }

func (s schema) checkBelow(path string, values map[string]string) map[string]string {
	wrong := map[string]string{}
	for name, p := range s {
		p, at := p.in(values["type"]), below(path, name)
		if p.variants != nil {
			at = below(path, "oneOf["+values["type"]+"]."+name)
		}
		value, given := values[name]
		if !given {
			if p.required && p.alias == "" {
				wrong[at] = "property is missing and it is not optional"
			}
			continue
		}
		if p.unknown {
			wrong[below(path, name)] = undefinedProperty
			continue
		}
		if problem := p.check(at, value); problem != "" {
			wrong[at] = problem
		}
		if _, there := values[p.requires]; p.requires != "" && !there {
			wrong[below(path, p.requires)] = fmt.Sprintf("missing property required by '%s'", below(path, name))
		}
	}
	for name := range values {
		if _, known := s[name]; !known {
			wrong[below(path, name)] = undefinedProperty
		}
	}
	return wrong
}

const undefinedProperty = "property is not defined in schema and the schema does not allow additional properties"

// in returns the property for an object of the given type.
func (p property) in(kind string) property {
	if p.variants != nil {
		required, there := p.variants[kind]
		p.required, p.unknown = required, !there
	}
	return p
}

func below(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

var (
	integerPattern = regexp.MustCompile(`^[+-]?\d+$`)
	numberPattern  = regexp.MustCompile(`^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[Ee][+-]?\d+)?$`)
)

func (p property) check(path, value string) string {
	if problem := p.checkKind(value); problem != "" {
		return problem
	}
	if p.parts != nil {
		found, err := p.parts.parse(path, value)
		if err == nil && p.whole != nil {
			err = p.whole(found)
		}
		if err != nil {
			return "invalid format - " + err.Error()
		}
	}
	if p.format != nil {
		if err := p.format(value); err != nil {
			return "invalid format - " + err.Error() + "\n"
		}
	}
	if p.pattern != nil && !p.pattern.MatchString(value) {
		return "value does not match the regex pattern"
	}
	if p.maxLength > 0 && utf8.RuneCountInString(value) > p.maxLength {
		return fmt.Sprintf("value may only be %d characters long", p.maxLength)
	}
	if numberPattern.MatchString(value) && (p.kind == kindInteger || p.kind == kindNumber) {
		switch n, _ := strconv.ParseFloat(value, 64); {
		case n > p.most:
			return "value must have a maximum value of " + plain(p.most)
		case n < p.least:
			return "value must have a minimum value of " + plain(p.least)
		}
	}
	if p.enum != nil && !slices.Contains(p.enum, value) {
		return fmt.Sprintf("value '%s' does not have a value in the enumeration '%s'", value, strings.Join(p.enum, ", "))
	}
	return ""
}

func (p property) checkKind(value string) string {
	ok := true
	switch p.kind {
	case kindBoolean:
		ok = value == "0" || value == "1"
	case kindInteger:
		ok = integerPattern.MatchString(value)
	case kindNumber:
		ok = numberPattern.MatchString(value)
	}
	if ok {
		return ""
	}
	return fmt.Sprintf("type check ('%s') failed - got '%s'", p.kind, value)
}

func plain(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// typed returns the value as the API's JSON answers have it.
func (p property) typed(value string) any {
	switch p.kind {
	case kindBoolean, kindInteger:
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			return n
		}
	case kindNumber:
		if n, err := strconv.ParseFloat(value, 64); err == nil {
			return n
		}
	}
	return value
}
