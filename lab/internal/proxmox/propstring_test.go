package proxmox

import (
	"maps"
	"strings"
	"testing"
)

var testDrive = schema{
	"file":   formatted(isVolumeOrPath).need().asMain(),
	"size":   func() property { p := formatted(isSize); p.bytes = true; return p }(),
	"ssd":    flag(),
	"format": enum("raw", "qcow2"),
	"serial": text().upTo(4),
	"iops":   integer(1, 10),
	"burst":  integer(1, 10).requiring("iops"),
}

// testLink has a key that stands for two parts, like a network device's model.
var testLink = schema{
	"model":  enum("virtio").asMain().need(),
	"virtio": property{kind: kindString, alias: "mac", aliasOf: "model"},
	"mac":    formatted(isMAC),
	"tag":    integer(1, 4094),
}

func TestPropertyStringsAreReadIntoTheirParts(t *testing.T) {
	for value, want := range map[string]fields{
		"local:vm-1-disk-0":             {"file": "local:vm-1-disk-0"},
		"file=local:vm-1-disk-0,ssd=on": {"file": "local:vm-1-disk-0", "ssd": "1"},
		"none,,size=4G":                 {"file": "none", "size": "4G"},
		"cdrom,ssd=no,format=raw":       {"file": "cdrom", "ssd": "0", "format": "raw"},
	} {
		got, err := testDrive.parse("scsi0", value)
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("%q: got %v, %v; want %v", value, got, err, want)
		}
	}
}

// TestPropertyStringsAreRefusedInProxmoxWords has the words of PVE::JSONSchema, parse_property_string and check_object.
func TestPropertyStringsAreRefusedInProxmoxWords(t *testing.T) {
	for value, want := range map[string]string{
		"none,colour=red":   "scsi0.colour: " + undefinedProperty,
		"none,ssd=1,ssd=0":  "duplicate key in comma-separated list property: ssd",
		"none,cdrom":        "duplicate key in comma-separated list property: file",
		"none,=1":           "missing key in comma-separated list property",
		"none,ssd=":         "missing key in comma-separated list property",
		"ssd=1":             "scsi0.file: property is missing and it is not optional",
		"none,ssd=maybe":    "scsi0.ssd: type check ('boolean') failed - got 'maybe'",
		"none,format=vmdk":  "scsi0.format: value 'vmdk' does not have a value in the enumeration 'raw, qcow2'",
		"none,serial=abcde": "scsi0.serial: value may only be 4 characters long",
		"none,iops=11":      "scsi0.iops: value must have a maximum value of 10",
		"none,iops=0":       "scsi0.iops: value must have a minimum value of 1",
		"none,iops=ten":     "scsi0.iops: type check ('integer') failed - got 'ten'",
		"none,burst=2":      "scsi0.iops: missing property required by 'scsi0.burst'",
		"none,size=much":    "scsi0.size: invalid format - value does not look like a valid disk size: much",
	} {
		if _, err := testDrive.parse("scsi0", value); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", value, err, want)
		}
	}
}

func TestPropertyStringsArePrintedAsProxmoxKeepsThem(t *testing.T) {
	for want, values := range map[string]fields{
		"local:vm-1-disk-0,size=20G,ssd=1": {"ssd": "1", "size": "20480M", "file": "local:vm-1-disk-0"},
		"none,format=raw,iops=3":           {"iops": "3", "format": "raw", "file": "none"},
	} {
		if got := testDrive.print(values); got != want {
			t.Errorf("%v: got %q, want %q", values, got, want)
		}
	}
}

func TestAKeyMayStandForTwoParts(t *testing.T) {
	got, err := testLink.parse("net0", "virtio=BC:24:11:00:00:01,tag=20")
	want := fields{"model": "virtio", "mac": "BC:24:11:00:00:01", "tag": "20"}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	if printed := testLink.print(want); printed != "virtio=BC:24:11:00:00:01,tag=20" {
		t.Errorf("printed as %q", printed)
	}
	if _, err := testLink.parse("net0", "virtio=01:00:00:00:00:00"); err == nil || !strings.Contains(err.Error(), "net0.mac: invalid format - value does not look like a valid unicast MAC address") {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsPrintedReadsAsTheSame(t *testing.T) {
	for _, value := range []string{"none", "local:vm-1-disk-0,size=20G,ssd=1"} {
		read, err := testDrive.parse("scsi0", value)
		if err != nil {
			t.Fatal(err)
		}
		if got := testDrive.print(read); got != value {
			t.Errorf("%q is printed as %q", value, got)
		}
	}
}
