package talos

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"hearth.dev/lab/internal/labconfig"
)

// atTheRack returns a machine of metal that was booted from an ISO, and a function for what a person does at it.
func atTheRack(t *testing.T, secureBoot bool) (*Machine, func(visit) bool) {
	t.Helper()
	m, err := New(&labconfig.Lab{Dir: t.TempDir()}, labconfig.Machine{
		Name: "wk01", Address: own, Platform: "metal", SecureBoot: secureBoot,
		Disks: []labconfig.Disk{{Device: "/dev/sda", SizeGiB: 20}}, Image: labconfig.Image{Version: "v1.13.9"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return m, func(v visit) bool {
		t.Helper()
		content, _ := json.Marshal(v)
		if err := writeFile(m.disk.path("visit"), content); err != nil {
			t.Fatal(err)
		}
		fromStick, err := m.receive()
		if err != nil {
			t.Fatal(err)
		}
		return fromStick
	}
}

func iso(suffix string) string {
	return "https://factory.talos.dev/image/" + strings.Repeat("a", 64) + "/v1.13.9/metal-amd64" + suffix + ".iso"
}

func TestSecureBootIsTurnedOnByKeysOfASignedISOOnly(t *testing.T) {
	for name, each := range map[string]struct {
		visits []visit
		want   bool
	}{
		"setup mode and a signed ISO":        {[]visit{{SecureBoot: "setup", ISO: iso("-secureboot")}}, true},
		"a signed ISO alone":                 {[]visit{{SecureBoot: "", ISO: iso("-secureboot")}}, false},
		"setup mode and an ISO without keys": {[]visit{{SecureBoot: "setup", ISO: iso("")}}, false},
		"setup mode alone":                   {[]visit{{SecureBoot: "setup", ISO: ""}}, false},
		"turned off again":                   {[]visit{{SecureBoot: "setup", ISO: iso("-secureboot")}, {SecureBoot: "off", ISO: iso("")}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			m, person := atTheRack(t, false)
			for _, v := range each.visits {
				person(v)
			}
			again, err := New(m.lab, m.spec)
			if err != nil || m.secureBoot() != each.want || again.secureBoot() != each.want {
				t.Errorf("SecureBoot %v, after a restart %v, %v", m.secureBoot(), again.secureBoot(), err)
			}
		})
	}
}

func TestFirmwareBootsWhatItMay(t *testing.T) {
	installed := func(m *Machine, signed bool) {
		err := m.change(func(r *record) {
			r.Installed, r.SystemDisk, r.Installation = true, "/dev/sda", &Installation{Device: "/dev/sda", Signed: signed}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, each := range map[string]struct {
		secureBoot bool
		prepare    func(*Machine)
		visit      visit
		want       string
	}{
		"an ISO where Talos is installed":         {false, func(m *Machine) { installed(m, false) }, visit{SecureBoot: "", ISO: iso("")}, "already installed"},
		"an ISO where the disk was wiped":         {false, func(m *Machine) {}, visit{SecureBoot: "setup", ISO: iso("-secureboot")}, ""},
		"a disk without a signature":              {true, func(m *Machine) { installed(m, false) }, visit{}, "security violation"},
		"a disk with a signature":                 {true, func(m *Machine) { installed(m, true) }, visit{}, ""},
		"a disk without a signature, turned off":  {true, func(m *Machine) { installed(m, false) }, visit{SecureBoot: "off", ISO: ""}, ""},
		"an ISO without a signature":              {true, func(m *Machine) {}, visit{SecureBoot: "", ISO: iso("")}, "security violation"},
		"an ISO with a signature, SecureBoot off": {false, func(m *Machine) {}, visit{SecureBoot: "", ISO: iso("-secureboot")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			m, person := atTheRack(t, each.secureBoot)
			each.prepare(m)
			if got := m.refuses(person(each.visit)); (got == "") != (each.want == "") || !strings.Contains(got, each.want) {
				t.Errorf("got %q, want %q", got, each.want)
			}
		})
	}
}

func TestAWipeOfTheSystemDiskLeavesTheFirmwareAndTheStick(t *testing.T) {
	m, person := atTheRack(t, false)
	person(visit{SecureBoot: "setup", ISO: iso("-secureboot")})
	m.record.Installed, m.record.Version = true, "v1.13.8"
	machined := &machined{boot: &boot{machine: m, services: newServices(func(*machine.ServiceInfo) {})}}
	if err := machined.wipe([]string{"STATE", "EPHEMERAL"}, true); err != nil {
		t.Fatal(err)
	}
	if kept := m.kept(); kept.Installed || kept.Schematic != strings.Repeat("a", 64) || !m.secureBoot() {
		t.Errorf("%+v, SecureBoot %v", kept, m.secureBoot())
	}
}

func TestAPersonsVisitEndsTheBoot(t *testing.T) {
	m, _ := atTheRack(t, true)
	// It does not boot, so that it needs no address.
	m.firmware.Stick.Signed = false
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	go func() {
		time.Sleep(100 * time.Millisecond)
		_ = writeFile(m.disk.path("visit"), []byte(`{"secureBoot":"off"}`))
	}()
	if _, err := m.attended(ctx); !errors.Is(err, errVisited) {
		t.Fatalf("ended by %v", err)
	}
	if _, err := m.receive(); err != nil || m.secureBoot() {
		t.Errorf("SecureBoot %v, %v", m.secureBoot(), err)
	}
}

func TestATPMKeyThatWantsSecureBootIsMadeWithItOnly(t *testing.T) {
	m, person := atTheRack(t, false)
	cfg := volumes(t, "{ slot: 0, tpm: { checkSecurebootStatusOnEnroll: true } }")
	if err := m.open("EPHEMERAL", cfg); err == nil || !strings.Contains(err.Error(), "SecureBoot is disabled") {
		t.Errorf("got %v", err)
	}
	person(visit{SecureBoot: "setup", ISO: iso("-secureboot")})
	if err := m.open("EPHEMERAL", cfg); err != nil {
		t.Error(err)
	}
}
