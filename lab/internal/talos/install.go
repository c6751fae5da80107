package talos

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/cosi-project/runtime/pkg/state"
	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"github.com/siderolabs/talos/pkg/machinery/compatibility"
	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/types/block/blockhelpers"
	"github.com/siderolabs/talos/pkg/machinery/resources/runtime"

	"hearth.dev/lab/internal/factory"
)

// installTime is the duration of a simulated installation.
const installTime = time.Second

// installer is a parsed reference to an installer image.
type installer struct {
	version   string
	schematic string
}

// installerForm matches a reference to an installer image: Talos's own, or an Image Factory's with a schematic.
var installerForm = regexp.MustCompile(
	`^[a-zA-Z0-9.-]+(?::\d+)?(?:/[a-z0-9._-]+)*?/(?:[a-z0-9]+-)?installer(?:-secureboot)?(?:/([0-9a-f]{64}))?:(v\d+\.\d+\.\d+[0-9A-Za-z.+-]*)(?:@sha256:[0-9a-f]{64})?$`)

func parseInstaller(image string) (installer, error) {
	parts := installerForm.FindStringSubmatch(image)
	if parts == nil {
		return installer{}, errors.New("it is not an installer image with a version tag, for example ghcr.io/siderolabs/installer:v1.13.9")
	}
	return installer{schematic: parts[1], version: parts[2]}, nil
}

// pull returns the installer for an image reference, if its registry has the image.
func (m *Machine) pull(image string) (installer, error) {
	found, err := parseInstaller(image)
	if err == nil {
		err = factory.Open(m.lab).Pull(image, found.schematic)
	}
	return found, err
}

// upgradeFrom refuses versions between which Talos does not upgrade.
func (i installer) upgradeFrom(current string) error {
	from, err := compatibility.ParseTalosVersion(&machine.VersionInfo{Tag: current})
	if err != nil {
		return err
	}
	to, err := compatibility.ParseTalosVersion(&machine.VersionInfo{Tag: i.version})
	if err != nil {
		return err
	}
	return to.UpgradeableFrom(from)
}

// installDisk returns the device on which the configuration installs Talos.
func (m *Machine) installDisk(ctx context.Context, resources state.State, cfg config.Provider) (string, error) {
	install := cfg.Machine().Install()
	matcher, err := install.DiskMatchExpression()
	if err != nil {
		return "", fmt.Errorf("install disk selector is invalid: %w", err)
	}
	if matcher != nil {
		matched, err := blockhelpers.MatchDisks(ctx, resources, matcher)
		if err != nil {
			return "", err
		}
		if len(matched) == 0 {
			return "", fmt.Errorf("no disks matched the expression: %s", matcher)
		}
		return matched[0].TypedSpec().DevPath, nil
	}
	for _, disk := range m.spec.Disks {
		if disk.Device == install.Disk() {
			return disk.Device, nil
		}
	}
	return "", fmt.Errorf("specified install disk does not exist: %q", install.Disk())
}

// install installs Talos on the system disk and boots from it.
func (b *boot) install(cfg config.Provider) error {
	b.setStage(runtime.MachineStageInstalling)
	b.events.publish("", sequence("install", true))
	device, err := b.machine.installDisk(b.ctx, b.state, cfg)
	if err != nil {
		return err
	}
	image, err := b.machine.pull(cfg.Machine().Install().Image())
	if err != nil {
		return fmt.Errorf("machine.install.image: %w", err)
	}
	select {
	case <-b.ctx.Done():
		return b.ctx.Err()
	case <-time.After(installTime):
	}
	err = b.machine.change(func(r *record) {
		r.Installed, r.SystemDisk, r.Version, r.Schematic = true, device, image.version, image.schematic
	})
	if err != nil {
		return err
	}
	b.machine.log.Printf("installed %s on %s", image.version, device)
	b.events.publish("", sequence("install", false))
	b.end(rebooted)
	return nil
}

// upgradeStaged installs the image that an earlier upgrade staged for this boot.
func (m *Machine) upgradeStaged() error {
	if m.record.StagedImage == "" {
		return nil
	}
	image, err := m.pull(m.record.StagedImage)
	return m.change(func(r *record) {
		r.StagedImage = ""
		if err == nil {
			r.Version, r.Schematic = image.version, image.schematic
		}
	})
}

// platform returns the name of Talos's platform.
func (m *Machine) platform() string {
	if m.spec.Platform == "" {
		return "metal"
	}
	return m.spec.Platform
}

func (m *Machine) systemDiskGiB() int {
	for _, disk := range m.spec.Disks {
		if disk.Device == m.record.SystemDisk {
			return disk.SizeGiB
		}
	}
	return 0
}
