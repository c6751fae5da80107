package talos

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cosi-project/runtime/pkg/state"
	"github.com/google/uuid"
	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/configloader"
	"github.com/siderolabs/talos/pkg/machinery/resources/runtime"
	"google.golang.org/grpc"
	"hearth.dev/lab/internal/controlplane"
	"hearth.dev/lab/internal/kubelet"
	"hearth.dev/lab/internal/labconfig"
)

// boot is the machine's state from a power-on or reboot to the next.
type boot struct {
	machine *Machine
	// id is the kernel's boot ID, by which clients notice a reboot.
	id string
	// image is the image that runs. An upgrade writes another one for the next boot.
	image    labconfig.Image
	started  time.Time
	ctx      context.Context
	state    state.State
	events   *events
	services *services
	machined *grpc.Server
	local    *local
	images   imageStore
	// configured receives the configuration that ends maintenance mode.
	configured chan config.Provider
	// ended receives the end of the boot.
	ended chan ending

	// serving guards apid and trustd while they are replaced.
	serving sync.Mutex
	apid    *apid
	trustd  *grpc.Server

	// applying is held while a configuration is accepted, activating while it takes effect, and showing while the
	// kubelet's state is published.
	applying, activating, showing sync.Mutex

	mu       sync.Mutex
	active   config.Provider
	stage    runtime.MachineStage
	leaving  bool
	rollback *time.Timer
	hostname string
	nodeID   string
	apidFor  string
	plane    *controlplane.ControlPlane
	kubelet  *kubelet.Kubelet
	shared   *sharedAddresses
	members  *discovery
}

// boot runs the machine once: in maintenance mode until there is a configuration, then with that configuration.
func (m *Machine) boot(parent context.Context) (ending, error) {
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	if m.kept().StagedImage != "" {
		return m.upgradeStaged(ctx)
	}
	if !m.disk.boots(m.kept().Version) {
		return m.failToBoot(ctx)
	}
	m.address = m.lease
	cfg, err := m.storedConfig()
	if err != nil {
		m.log.Printf("the stored configuration is not usable, waiting for another: %v", err)
	}
	if cfg != nil {
		if err := m.open("STATE", cfg); err != nil {
			return m.withoutState(ctx, err)
		}
	}
	if cfg != nil || m.settled {
		m.address = m.own()
	}
	b, err := m.newBoot(ctx)
	if err != nil {
		return poweredOff, err
	}
	b.setStage(runtime.MachineStageBooting)
	b.publishHardware()
	b.publishInstalled()
	if err := b.startMachined(); err != nil {
		return poweredOff, err
	}
	defer b.stopEverything()
	b.startGuestAgent()
	if cfg == nil {
		if cfg, err = b.maintenance(); cfg == nil || err != nil {
			return b.endedBy(parent), err
		}
		m.address = m.own()
		b.startGuestAgent()
	}
	if err := b.run(cfg); err != nil {
		return poweredOff, err
	}
	select {
	case <-parent.Done():
		return poweredOff, parent.Err()
	case how := <-b.ended:
		return how, nil
	}
}

// withoutState waits for the end of the power. A machine whose STATE does not open has no configuration, and looks for none elsewhere.
// Source: siderolabs/talos v1.13.9, stateDisk of internal/app/machined/pkg/controllers/config/acquire.go.
func (m *Machine) withoutState(ctx context.Context, reason error) (ending, error) {
	m.log.Printf("volume STATE failed: %v", reason)
	<-ctx.Done()
	return poweredOff, ctx.Err()
}

func (m *Machine) newBoot(ctx context.Context) (*boot, error) {
	resources, err := newState(ctx)
	if err != nil {
		return nil, err
	}
	b := &boot{
		machine: m, id: uuid.New().String(), image: m.kept().Image, started: time.Now(), ctx: ctx, state: resources,
		events: newEvents(), configured: make(chan config.Provider, 1), ended: make(chan ending, 1),
	}
	b.services = newServices(b.serviceChanged)
	return b, nil
}

// storedConfig returns the configuration on the STATE partition, nil if there is none.
func (m *Machine) storedConfig() (config.Provider, error) {
	content, err := m.disk.config()
	if content == nil || err != nil {
		return nil, err
	}
	return configloader.NewFromBytes(content)
}

// endedBy returns how a boot ended that was still in maintenance mode.
func (b *boot) endedBy(parent context.Context) ending {
	select {
	case how := <-b.ended:
		return how
	default:
		return poweredOff
	}
}

// maintenance serves the API without authentication until it receives a configuration. It returns nil if the boot ends.
func (b *boot) maintenance() (config.Provider, error) {
	who, err := maintenanceIdentity(b.machine.address)
	if err != nil {
		return nil, err
	}
	if b.apid, err = startAPID(b.ctx, b.machine.address, who, b.local); err != nil {
		return nil, err
	}
	b.setStage(runtime.MachineStageMaintenance)
	b.services.set("apid", stateRunning, "Started in maintenance mode")
	b.services.health("apid", true, "Health check successful")
	b.machine.log.Printf("maintenance mode at %s, waiting for a machine configuration", b.machine.address)
	select {
	case <-b.ctx.Done():
		return nil, b.ctx.Err()
	case how := <-b.ended:
		b.ended <- how
		return nil, nil
	case cfg := <-b.configured:
		b.apid.stop()
		b.apid = nil
		return cfg, nil
	}
}

// run starts everything that the configuration asks for.
func (b *boot) run(cfg config.Provider) error {
	b.setStage(runtime.MachineStageBooting)
	b.events.publish("", sequence("boot", true))
	var err error
	if b.nodeID, err = b.machine.disk.nodeID(); err != nil {
		return err
	}
	if err := b.activate(cfg); err != nil {
		return err
	}
	if !b.machine.kept().Installed {
		return b.install(cfg)
	}
	if err := errors.Join(b.machine.open("STATE", cfg), b.machine.open("EPHEMERAL", cfg)); err != nil {
		// The API answers, and nothing that needs /var starts.
		b.machine.log.Printf("volume EPHEMERAL failed: %v", err)
		return nil
	}
	b.publishInstalled()
	b.members = startDiscovery(b)
	if cfg.Machine().Type().IsControlPlane() {
		b.plane = controlplane.New(controlplane.Options{
			Lab: b.machine.lab, Machine: b.machine.spec.Name, Dir: b.machine.disk.path("var", "controlplane"),
			Logf: b.machine.log.Printf, Peers: b.controlPlanes, OnChange: b.refresh,
		})
		if err := b.plane.Start(b.planeNode()); err != nil {
			return fmt.Errorf("starting the control plane: %w", err)
		}
		b.shared = shareAddresses(b)
	}
	b.startKubelet()
	b.events.publish("", sequence("boot", false))
	b.setStage(runtime.MachineStageRunning)
	go b.watch()
	return nil
}

// config returns the active configuration, nil in maintenance mode.
func (b *boot) config() config.Provider {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.active
}

func (b *boot) inMaintenance() bool { return b.config() == nil }

// end ends the boot once.
func (b *boot) end(how ending) {
	select {
	case b.ended <- how:
	default:
	}
}

// stopEverything is the last step of a boot. It stops the API last, so that clients can follow the rest.
func (b *boot) stopEverything() {
	b.mu.Lock()
	if b.rollback != nil {
		b.rollback.Stop()
	}
	b.mu.Unlock()
	b.stopServices()
	b.stopGuestAgent()
	b.serving.Lock()
	b.apid.stop()
	if b.trustd != nil {
		stopServer(b.trustd)
	}
	b.serving.Unlock()
	stopServer(b.machined)
	b.local.connection.Close()
}

// stopServices stops Kubernetes on this machine.
func (b *boot) stopServices() {
	b.mu.Lock()
	plane, agent, shared, members := b.plane, b.kubelet, b.shared, b.members
	b.plane, b.kubelet, b.shared, b.members = nil, nil, nil, nil
	b.mu.Unlock()
	if agent != nil {
		agent.Stop()
		b.services.set("kubelet", stateFinished, "Service finished successfully")
	}
	shared.stop()
	if plane != nil {
		plane.Stop()
		b.services.set("etcd", stateFinished, "Service finished successfully")
	}
	members.stop()
}

var errLeaving = errors.New("the machine is going down")

// leave marks the machine as going down. It succeeds only for the first caller.
func (b *boot) leave() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.leaving {
		return errLeaving
	}
	b.leaving = true
	return nil
}
