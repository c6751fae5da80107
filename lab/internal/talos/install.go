package talos

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/cosi-project/runtime/pkg/state"
	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/types/block/blockhelpers"
	"github.com/siderolabs/talos/pkg/machinery/resources/runtime"

	"hearth.dev/lab/internal/labconfig"
)

// installTime is the duration of a simulated installation. Unit tests shorten it, like the other times.
var installTime = time.Second

// installerForm matches a reference to an installer image: Talos's own, or an Image Factory's with a schematic.
var installerForm = regexp.MustCompile(
	`^[a-zA-Z0-9.-]+(?::\d+)?(?:/[a-z0-9._-]+)*?/(?:[a-z0-9]+-)?installer(?:-secureboot)?(?:/([0-9a-f]{64}))?:(v\d+\.\d+\.\d+[0-9A-Za-z.+-]*)(?:@sha256:[0-9a-f]{64})?$`)

func parseInstaller(image string) (labconfig.Image, error) {
	parts := installerForm.FindStringSubmatch(image)
	if parts == nil {
		return labconfig.Image{}, errors.New("it is not an installer image with a version tag, for example ghcr.io/siderolabs/installer:v1.13.9")
	}
	return labconfig.Image{Schematic: parts[1], Version: parts[2]}, nil
}

// pull returns the installer for an image reference, if its registry has the image.
func (m *Machine) pull(image string) (labconfig.Image, error) {
	found, err := parseInstaller(image)
	if err == nil {
		err = m.registryHas(image)
	}
	return found, err
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
	if !sleep(b.ctx, installTime) {
		return b.ctx.Err()
	}
	err = b.machine.change(func(r *record) {
		r.Installed, r.SystemDisk, r.slots = true, device, slots{Image: image}
		r.Installation = &Installation{Device: device, Platform: b.machine.platform(), SecureBoot: b.machine.secureBoot(),
			Signed: signed(cfg.Machine().Install().Image())}
	})
	if err != nil {
		return err
	}
	b.machine.log.Printf("installed %s on %s", image.Version, device)
	b.events.publish("", sequence("install", false))
	b.end(rebooted)
	return nil
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
		if disk.Device == m.kept().SystemDisk {
			return disk.SizeGiB
		}
	}
	return 0
}
