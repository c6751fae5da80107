package talos

import (
	"context"
	"errors"
	"time"

	"hearth.dev/lab/internal/labconfig"
)

// slots are the images that the boot loader can boot. Talos keeps the previous one beside each upgrade. Sources:
// siderolabs/talos v1.13.9, internal/app/machined/pkg/runtime/v1alpha1/bootloader/sdboot/sdboot.go, Upgrade and Revert;
// internal/app/machined/revert.go; internal/app/machined/pkg/controllers/runtime/drop_upgrade_fallback.go.
type slots struct {
	// Image boots next.
	labconfig.Image
	// Other is in the other slot, nil before the first upgrade.
	Other *labconfig.Image `json:"otherSlot,omitempty"`
	// Upgraded says that Image was written by an upgrade and the machine was not ready with it yet. If its boot fails, the
	// other image boots.
	Upgraded bool `json:"upgraded,omitempty"`
}

// upgrade writes an image beside the one that would have booted next.
func (s slots) upgrade(next labconfig.Image) slots {
	return slots{Image: next, Other: &s.Image, Upgraded: true}
}

// revert makes the other image the one that boots next.
func (s slots) revert() (slots, error) {
	if s.Other == nil {
		return s, errors.New("previous UKI not found")
	}
	return slots{Image: *s.Other, Other: &s.Image}, nil
}

// bootFailTime is how long a failed boot takes. Talos waits ten seconds before it reboots.
var bootFailTime = 2 * time.Second

// failToBoot is a boot whose image fails. After an upgrade the next boot is that of the other image; otherwise it fails again.
func (m *Machine) failToBoot(ctx context.Context) (ending, error) {
	m.log.Printf("fatal sequencer error in \"boot\" sequence: %s does not boot on this machine", m.kept().Version)
	if !sleep(ctx, bootFailTime) {
		return poweredOff, ctx.Err()
	}
	if !m.kept().Upgraded {
		return rebooted, nil
	}
	reverted, err := m.kept().revert()
	if err != nil {
		m.log.Printf("failed to revert bootloader: %v", err)
		return rebooted, nil
	}
	m.log.Printf("reverting failed upgrade, switching to %q", reverted.Version)
	return rebooted, m.change(func(r *record) { r.slots = reverted })
}

// keepUpgrade ends the possibility to fall back, once the machine is ready with what was installed.
func (m *Machine) keepUpgrade() {
	if !m.kept().Upgraded {
		return
	}
	m.log.Printf("removing fallback entry")
	if err := m.change(func(r *record) { r.Upgraded = false }); err != nil {
		m.log.Printf("removing fallback entry: %v", err)
	}
}

// upgradeStaged installs the image that an earlier call staged for this boot, and reboots. Its record is removed first, so a
// staged upgrade that fails is not tried again.
func (m *Machine) upgradeStaged(ctx context.Context) (ending, error) {
	image := m.kept().StagedImage
	if err := m.change(func(r *record) { r.StagedImage = "" }); err != nil {
		return poweredOff, err
	}
	m.log.Printf("performing staged upgrade via %q", image)
	if !sleep(ctx, installTime) {
		return poweredOff, ctx.Err()
	}
	if err := m.runInstaller(image, m.kept().Version, m.log.Printf); err != nil {
		m.log.Printf("Talos staged upgrade failed: %v", err)
	}
	return rebooted, nil
}
