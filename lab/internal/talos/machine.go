package talos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/netip"
	"os"
	"sync"
	"time"

	"hearth.dev/lab/internal/labconfig"
)

// Machine is a machine of the lab, from power-on to power-off.
type Machine struct {
	lab     *labconfig.Lab
	spec    labconfig.Machine
	address netip.Addr
	lease   netip.Addr
	// settled is whether a configuration without a machine section has set the address. It is lost with the memory.
	settled bool
	disk    disk
	// firmware and volumes belong to the one who runs the machine. volumes are those that it has opened, by their label.
	firmware firmware
	volumes  map[string]opened
	console  *console
	log      *log.Logger

	mu     sync.Mutex
	record record
}

// New returns the machine of spec with the content of its disk.
func New(lab *labconfig.Lab, spec labconfig.Machine) (*Machine, error) {
	address, err := netip.ParseAddr(spec.Address)
	if err != nil || !address.IsLoopback() {
		return nil, fmt.Errorf("machine %s: %q is not an address in 127.0.0.0/8", spec.Name, spec.Address)
	}
	lease := address
	if spec.Lease != "" {
		if lease, err = netip.ParseAddr(spec.Lease); err != nil || !lease.IsLoopback() {
			return nil, fmt.Errorf("machine %s: lease %q is not an address in 127.0.0.0/8", spec.Name, spec.Lease)
		}
	}
	if spec.Image.Version == "" {
		return nil, fmt.Errorf("machine %s: image.version is missing, for example \"v1.13.9\"", spec.Name)
	}
	m := &Machine{
		volumes: map[string]opened{},
		lab:     lab, spec: spec, address: lease, lease: lease, disk: disk{lab.Path("machines", spec.Name)}, console: newConsole(),
	}
	m.log = log.New(io.MultiWriter(os.Stderr, m.console), "", log.LstdFlags)
	if err := m.loadFirmware(); err != nil {
		return nil, err
	}
	m.record, err = m.disk.load(m.fresh())
	return m, err
}

// fresh is the record of a machine that has never run. A disk image already contains Talos. From other media, Talos has
// to be installed.
func (m *Machine) fresh() record {
	r := record{slots: slots{Image: m.firmware.Stick.Image}}
	medium := m.spec.Medium
	if medium == "" {
		medium = map[bool]string{true: "cdrom", false: "disk"}[m.platform() == "metal"]
	}
	if medium == "disk" && len(m.spec.Disks) > 0 {
		r.Installed, r.SystemDisk = true, m.spec.Disks[0].Device
	}
	return r
}

// Installed describes what the installer wrote to a disk of the named machine, and the image that is there now. It is nil if
// the machine was never installed from other media.
func Installed(lab *labconfig.Lab, name string) (*Installation, labconfig.Image, error) {
	kept, err := disk{lab.Path("machines", name)}.load(record{})
	return kept.Installation, kept.Image, err
}

// ending is how a boot ends.
type ending int

const (
	rebooted ending = iota
	poweredOff
	// moved is not the end of a boot for Talos, which only changes the address of the API in maintenance mode.
	moved
)

// rebootTime is how long the API is down during a simulated reboot.
const rebootTime = 1500 * time.Millisecond

// Run runs the machine until it powers off, which is not an error, or ctx ends.
func (m *Machine) Run(ctx context.Context) error {
	for {
		how, err := m.attended(ctx)
		if errors.Is(err, errVisited) {
			how, err = rebooted, nil
		}
		if err != nil || how == poweredOff {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if m.settled = how == moved; m.settled {
			continue
		}
		m.log.Printf("rebooting")
		if !sleep(ctx, rebootTime) {
			return ctx.Err()
		}
	}
}

// attended boots the machine once, unless a person restarts it before.
func (m *Machine) attended(parent context.Context) (ending, error) {
	fromStick, err := m.receive()
	if err != nil {
		return poweredOff, err
	}
	ctx, end := context.WithCancelCause(parent)
	defer end(nil)
	go m.visited(ctx, end)
	how, err := m.powered(ctx, fromStick)
	if parent.Err() == nil && errors.Is(context.Cause(ctx), errVisited) {
		return how, errVisited
	}
	return how, err
}

// powered boots what the firmware finds: the stick where a person chose it, or where nothing is installed.
func (m *Machine) powered(ctx context.Context, fromStick bool) (ending, error) {
	if why := m.refuses(fromStick); why != "" {
		return m.stuck(ctx, why)
	}
	if !m.kept().Installed && m.kept().Image != m.firmware.Stick.Image {
		fresh := m.fresh()
		if err := m.change(func(r *record) { *r = fresh }); err != nil {
			return poweredOff, err
		}
	}
	return m.boot(ctx)
}

// own returns the address that a configuration sets.
func (m *Machine) own() netip.Addr { return netip.MustParseAddr(m.spec.Address) }

// kept returns the record on disk.
func (m *Machine) kept() record {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.record
}

// change changes the record on disk.
func (m *Machine) change(alter func(*record)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := m.record
	alter(&next)
	if err := m.disk.save(next); err != nil {
		return err
	}
	m.record = next
	return nil
}

type diskSpec = labconfig.Disk
