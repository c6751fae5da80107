package proxmox

import (
	"maps"
	"testing"
)

// TestParametersAreCheckedInProxmoxWords has the words of PVE::JSONSchema, check_prop.
func TestParametersAreCheckedInProxmoxWords(t *testing.T) {
	rules := with(schema{
		"vmid":  integer(100, 999999999).need(),
		"name":  formatted(isDNSName),
		"cores": integer(1, 128),
		"share": number(0, 1.5),
		"boot":  flag(),
		"bios":  enum("seabios", "ovmf"),
		"fs":    matching("ext[34]"),
	}, numbered("net", 2, text().upTo(3)))
	for _, test := range []struct {
		values map[string]string
		want   map[string]string
	}{
		{map[string]string{"vmid": "100", "name": "a.b", "cores": "4", "share": ".5", "boot": "1", "bios": "ovmf", "fs": "ext4", "net1": "abc"}, map[string]string{}},
		{map[string]string{}, map[string]string{"vmid": "property is missing and it is not optional"}},
		{map[string]string{"vmid": "99"}, map[string]string{"vmid": "value must have a minimum value of 100"}},
		{map[string]string{"vmid": "100", "cores": "129"}, map[string]string{"cores": "value must have a maximum value of 128"}},
		{map[string]string{"vmid": "100", "cores": "two"}, map[string]string{"cores": "type check ('integer') failed - got 'two'"}},
		{map[string]string{"vmid": "100", "share": "1.6"}, map[string]string{"share": "value must have a maximum value of 1.5"}},
		{map[string]string{"vmid": "100", "share": "half"}, map[string]string{"share": "type check ('number') failed - got 'half'"}},
		{map[string]string{"vmid": "100", "boot": "yes"}, map[string]string{"boot": "type check ('boolean') failed - got 'yes'"}},
		{map[string]string{"vmid": "100", "bios": "uefi"}, map[string]string{"bios": "value 'uefi' does not have a value in the enumeration 'seabios, ovmf'"}},
		{map[string]string{"vmid": "100", "fs": "ext2"}, map[string]string{"fs": "value does not match the regex pattern"}},
		{map[string]string{"vmid": "100", "name": "a_b"}, map[string]string{"name": "invalid format - value does not look like a valid DNS name\n"}},
		{map[string]string{"vmid": "100", "net0": "long"}, map[string]string{"net0": "value may only be 3 characters long"}},
		{map[string]string{"vmid": "100", "net2": "abc"}, map[string]string{"net2": "property is not defined in schema and the schema does not allow additional properties"}},
	} {
		if got := rules.check(test.values); !maps.Equal(got, test.want) {
			t.Errorf("%v: got %q, want %q", test.values, got, test.want)
		}
	}
}

func TestAnswersHaveNumbersWhereTheSchemaHas(t *testing.T) {
	for _, test := range []struct {
		property property
		value    string
		want     any
	}{{flag(), "1", int64(1)}, {anyInteger(), "42", int64(42)}, {number(0, 9), "1.5", 1.5}, {text(), "42", "42"}} {
		if got := test.property.typed(test.value); got != test.want {
			t.Errorf("%s %s: got %#v, want %#v", test.property.kind, test.value, got, test.want)
		}
	}
}
