package talos

import (
	"net/netip"
	"path"
	"slices"

	"hearth.dev/lab/internal/guestagent"
)

// startGuestAgent starts the QEMU guest agent if the running image has it. Extension services run in maintenance mode too.
//
// Source: siderolabs/talos v1.13.9, ExtensionServiceController, which waits for no configuration, and the phase earlyServices of
// internal/app/machined/pkg/runtime/v1alpha1/v1alpha1_sequencer.go, which starts containerd; siderolabs/extensions release-1.13,
// guest-agents/qemu-guest-agent/qemu-guest-agent.yaml, which depends on machined's socket and the serial port only.
func (b *boot) startGuestAgent() {
	hasAgent := slices.ContainsFunc(b.extensions(), func(e extension) bool { return e.name == path.Base(guestagent.Extension) })
	if !hasAgent {
		return
	}
	mac := b.machine.spec.MAC
	card := guestagent.Interface{
		Name: b.cardName(), MAC: mac, Addresses: []string{netip.PrefixFrom(b.machine.address, 24).String(), guestagent.Advertised(mac)},
	}
	if err := guestagent.Start(b.machine.disk.path(), card); err != nil {
		b.machine.log.Printf("starting the guest agent: %v", err)
	}
}

func (b *boot) stopGuestAgent() {
	if err := guestagent.Stop(b.machine.disk.path()); err != nil {
		b.machine.log.Printf("stopping the guest agent: %v", err)
	}
}

// cardName is the kernel's name for the network card: images for nocloud switch predictable names off. Source: siderolabs/talos
// v1.13.9, internal/app/machined/pkg/runtime/v1alpha1/platform/nocloud/nocloud.go, KernelArgs.
func (b *boot) cardName() string {
	if b.machine.platform() == "nocloud" {
		return "eth0"
	}
	return "ens18"
}
