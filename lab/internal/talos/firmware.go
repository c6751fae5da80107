package talos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"time"

	"hearth.dev/lab/internal/labconfig"
	"hearth.dev/lab/internal/statefile"
)

// firmware is what a person set up at a machine of metal, and plugged in. It outlasts the machine's disks.
type firmware struct {
	// SecureBoot reports whether SecureBoot is on, with the keys of Talos's images.
	SecureBoot bool `json:"secureBoot"`
	// Stick boots where nothing is installed.
	Stick stick `json:"stick"`
	// Seal changes with an update of the firmware, so that the TPM no longer releases what it had sealed before.
	Seal int `json:"seal,omitempty"`
}

// stick is a boot medium with an ISO of the Image Factory.
type stick struct {
	labconfig.Image
	// Signed reports whether the firmware boots it with SecureBoot on. Only such an ISO brings keys to enrol.
	Signed bool `json:"signed,omitempty"`
}

// visit is what a person does at the machine, whose power goes off and on meanwhile. The file "visit" has it; a test or a person writes it,
// and it is removed when it is done.
type visit struct {
	// SecureBoot is "setup" to turn SecureBoot on and delete its keys, which is the firmware's setup mode, and "off" to turn it off.
	SecureBoot string `json:"secureBoot,omitempty"`
	// ISO is the address of an image of the Image Factory. The person plugs it in, boots it, and chooses to enrol keys where it offers that.
	ISO string `json:"iso,omitempty"`
	// Update has other firmware, with another list of revoked keys: PCR 7 is another one then.
	Update bool `json:"update,omitempty"`
}

// errVisited ends a boot, as the person does who restarts the machine.
var errVisited = errors.New("a person restarts the machine")

// ownFirmware reports whether the machine keeps its firmware itself. That of a virtual machine is its host's.
func (m *Machine) ownFirmware() bool { return m.spec.Medium == "" && m.platform() == "metal" }

// loadFirmware reads the firmware. At first it is as the person left it who booted the machine for the lab.
func (m *Machine) loadFirmware() error {
	m.firmware = firmware{SecureBoot: m.spec.SecureBoot, Stick: stick{Image: m.spec.Image, Signed: m.spec.SecureBoot}}
	if !m.ownFirmware() {
		return nil
	}
	return statefile.Read(m.disk.path("firmware.json"), &m.firmware, "delete the machine's folder to start over")
}

// visited waits for a person's visit, and ends the boot then.
func (m *Machine) visited(ctx context.Context, end context.CancelCauseFunc) {
	for {
		if !sleep(ctx, visitPause) {
			return
		}
		if _, err := os.Stat(m.disk.path("visit")); err == nil {
			end(errVisited)
			return
		}
	}
}

// visitPause is the time between two looks for a visit.
var visitPause = 250 * time.Millisecond

// isoForm matches the address of an ISO. Source: siderolabs/image-factory 1.5.0, internal/profile/profile.go.
var isoForm = regexp.MustCompile(`/image/([0-9a-f]{64})/(v\d+\.\d+\.\d+[0-9A-Za-z.+-]*)/metal-(?:amd64|arm64)(-secureboot)?\.iso$`)

// receive does what a person does at the machine. It reports whether the machine boots the stick next, whatever is on its disks.
func (m *Machine) receive() (fromStick bool, err error) {
	content, err := os.ReadFile(m.disk.path("visit"))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	var v visit
	if err == nil {
		err = json.Unmarshal(content, &v)
	}
	if err == nil {
		err = os.Remove(m.disk.path("visit"))
	}
	if err != nil {
		return false, fmt.Errorf("visit: %w", err)
	}
	next := m.firmware
	if v.ISO != "" {
		parts := isoForm.FindStringSubmatch(strings.TrimSpace(v.ISO))
		if parts == nil {
			return false, fmt.Errorf("visit: %q is no ISO of the Image Factory for metal", v.ISO)
		}
		next.Stick = stick{Image: labconfig.Image{Schematic: parts[1], Version: parts[2]}, Signed: parts[3] != ""}
	}
	switch v.SecureBoot {
	case "setup":
		// Without keys the firmware boots anything, and SecureBoot is not on. The boot loader of a signed ISO enrols its own.
		// Source: siderolabs/talos v1.13.9, pkg/imager/iso/uefi.go, loader/keys/auto.
		next.SecureBoot = v.ISO != "" && next.Stick.Signed
	case "off":
		next.SecureBoot = false
	case "":
	default:
		return false, fmt.Errorf("visit: secureBoot %q is neither setup nor off", v.SecureBoot)
	}
	if v.Update {
		next.Seal++
	}
	m.firmware = next
	m.log.Printf("a person was here: SecureBoot %v, and a stick with Talos %s, signed %v", next.SecureBoot, next.Stick.Version, next.Stick.Signed)
	return v.ISO != "", statefile.Write(m.disk.path("firmware.json"), next)
}

// refuses returns why the firmware does not get to Talos's API, "" if it does.
func (m *Machine) refuses(fromStick bool) string {
	r := m.kept()
	written := r.Installation
	switch {
	case !m.ownFirmware():
		return ""
	case fromStick && r.Installed:
		// Source: siderolabs/talos v1.13.9, internal/app/machined/pkg/runtime/v1alpha1: Initialize of v1alpha1_sequencer.go and haltIfInstalled.
		// ISOs have talos.halt_if_installed=1, by buildCmdline of pkg/imager/imager.go. META on a disk counts as installed.
		return "Talos is already installed to disk but booted from another media and talos.halt_if_installed kernel parameter is set. Please reboot from the disk."
	case !m.firmware.SecureBoot:
		return ""
	case r.Installed && written != nil && !written.Signed, !r.Installed && !m.firmware.Stick.Signed:
		return "the firmware does not boot an image without a signature: security violation"
	}
	return ""
}

// stuck waits for the end of the power.
func (m *Machine) stuck(ctx context.Context, why string) (ending, error) {
	m.log.Print(why)
	<-ctx.Done()
	return poweredOff, ctx.Err()
}

// secureBoot reports whether the machine booted with SecureBoot.
func (m *Machine) secureBoot() bool { return m.firmware.SecureBoot }

// signed reports whether an installer writes an image that the firmware boots with SecureBoot on.
func signed(installer string) bool {
	return strings.Contains(installer, "installer-secureboot/") || strings.Contains(installer, "installer-secureboot:")
}
