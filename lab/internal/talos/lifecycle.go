package talos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/siderolabs/talos/pkg/machinery/api/common"
	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"github.com/siderolabs/talos/pkg/machinery/resources/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"hearth.dev/lab/internal/controlplane"
)

// pause gives clients time to read the last events before the API stops.
const pause = 400 * time.Millisecond

// Bootstrap starts a new etcd cluster on this control plane, empty or from a snapshot.
func (m *machined) Bootstrap(_ context.Context, in *machine.BootstrapRequest) (*machine.BootstrapResponse, error) {
	if m.inMaintenance() {
		return nil, status.Error(codes.FailedPrecondition, "bootstrap is not available yet")
	}
	if err := m.onControlPlane("bootstrap"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	plane := m.plane
	m.mu.Unlock()
	if plane == nil {
		return nil, status.Error(codes.FailedPrecondition, "bootstrap is not available yet")
	}
	err := plane.Bootstrap(in.RecoverEtcd, in.RecoverSkipHashCheck)
	if errors.Is(err, controlplane.ErrBootstrapped) {
		return nil, status.Error(codes.AlreadyExists, err.Error())
	}
	if err != nil {
		return nil, err
	}
	m.machine.log.Printf("bootstrapped the cluster")
	return &machine.BootstrapResponse{Messages: []*machine.Bootstrap{{}}}, nil
}

// Reboot reboots the machine.
func (m *machined) Reboot(context.Context, *machine.RebootRequest) (*machine.RebootResponse, error) {
	actor := uuid.New().String()
	go m.reboot(actor)
	return &machine.RebootResponse{Messages: []*machine.Reboot{{ActorId: actor}}}, nil
}

// Shutdown powers the machine off.
func (m *machined) Shutdown(context.Context, *machine.ShutdownRequest) (*machine.ShutdownResponse, error) {
	actor := uuid.New().String()
	go m.goDown(down{actor: actor, name: "shutdown", stage: runtime.MachineStageShuttingDown, how: poweredOff})
	return &machine.ShutdownResponse{Messages: []*machine.Shutdown{{ActorId: actor}}}, nil
}

// Reset wipes the whole machine or the given partitions, and powers it off or reboots it.
func (m *machined) Reset(_ context.Context, in *machine.ResetRequest) (*machine.ResetResponse, error) {
	if err := m.checkReset(in); err != nil {
		return nil, err
	}
	wipes := []string{"STATE", "EPHEMERAL"}
	if len(in.SystemPartitionsToWipe) > 0 {
		wipes = nil
		for _, partition := range in.SystemPartitionsToWipe {
			if partition.Wipe {
				wipes = append(wipes, partition.Label)
			}
		}
	} else if in.Mode == machine.ResetRequest_USER_DISKS {
		wipes = nil
	}
	wholeDisk := len(in.SystemPartitionsToWipe) == 0 && in.Mode != machine.ResetRequest_USER_DISKS
	actor := uuid.New().String()
	d := down{actor: actor, name: "reset", stage: runtime.MachineStageResetting, how: poweredOff, last: func() error {
		return m.wipe(wipes, wholeDisk)
	}}
	if in.Reboot {
		d.how = rebooted
	}
	if in.Graceful && !m.inMaintenance() {
		d.first = m.leaveCluster
	}
	go m.goDown(d)
	return &machine.ResetResponse{Messages: []*machine.Reset{{ActorId: actor}}}, nil
}

func (m *machined) checkReset(in *machine.ResetRequest) error {
	if len(in.UserDisksToWipe) > 0 && in.Mode == machine.ResetRequest_SYSTEM_DISK {
		return errors.New("reset failed: invalid input, wipe mode SYSTEM_DISK doesn't support UserDisksToWipe parameter")
	}
	for _, device := range in.UserDisksToWipe {
		if !slices.ContainsFunc(m.machine.spec.Disks, func(d diskSpec) bool { return d.Device == device }) {
			return fmt.Errorf("reset user disk failed: device %s wasn't found", device)
		}
		if device == m.machine.record.SystemDisk {
			return fmt.Errorf("reset user disk failed: device %s is the system disk", device)
		}
	}
	if len(in.SystemPartitionsToWipe) > 0 && in.Mode == machine.ResetRequest_USER_DISKS {
		return errors.New("reset failed: invalid input, wipe mode USER_DISKS doesn't support SystemPartitionsToWipe parameter")
	}
	for _, partition := range in.SystemPartitionsToWipe {
		if !slices.Contains(systemVolumes, partition.Label) || !m.machine.record.Installed {
			return fmt.Errorf("failed to get volume status with label %q: resource VolumeStatuses.block.talos.dev(runtime/%s@undefined) doesn't exist",
				partition.Label, partition.Label)
		}
	}
	return nil
}

// wipe wipes partitions. Wiping the whole disk removes Talos too, so the machine boots from its original media again.
func (m *machined) wipe(labels []string, wholeDisk bool) error {
	if slices.Contains(labels, "STATE") {
		m.forget()
		if err := m.machine.disk.wipeState(); err != nil {
			return err
		}
	}
	if slices.Contains(labels, "EPHEMERAL") {
		if err := m.machine.disk.wipeEphemeral(); err != nil {
			return err
		}
	}
	if wholeDisk {
		fresh := m.machine.fresh()
		return m.machine.change(func(r *record) { *r = fresh })
	}
	return nil
}

// Upgrade installs another image and boots it.
func (m *machined) Upgrade(ctx context.Context, in *machine.UpgradeRequest) (*machine.UpgradeResponse, error) {
	if !m.machine.record.Installed {
		return nil, status.Error(codes.FailedPrecondition, "Talos is not installed")
	}
	image, err := m.machine.pull(in.Image)
	if err == nil {
		err = image.upgradeFrom(m.machine.record.Version)
	}
	if err != nil {
		return nil, fmt.Errorf("error validating installer image %q: %w", in.Image, err)
	}
	if cfg := m.config(); cfg != nil && cfg.Machine().Type().IsControlPlane() && !in.Force {
		if err := m.etcdReadyForUpgrade(ctx); err != nil {
			return nil, fmt.Errorf("error validating etcd for upgrade: %w", err)
		}
	}
	actor := uuid.New().String()
	d := down{actor: actor, name: "upgrade", stage: runtime.MachineStageUpgrading, how: rebooted, last: func() error {
		return m.machine.change(func(r *record) { r.Version, r.Schematic = image.version, image.schematic })
	}}
	if in.Stage {
		d.name = "stageUpgrade"
		d.last = func() error { return m.machine.change(func(r *record) { r.StagedImage = in.Image }) }
	}
	go m.goDown(d)
	return &machine.UpgradeResponse{Messages: []*machine.Upgrade{{Ack: "Upgrade request received", ActorId: actor}}}, nil
}

// down is a sequence that ends with the machine off or rebooting.
type down struct {
	actor string
	name  string
	stage runtime.MachineStage
	// first runs while everything still runs. If it fails, the machine stays up.
	first func() error
	// last runs after everything has stopped.
	last func() error
	how  ending
}

func (b *boot) reboot(actor string) {
	b.goDown(down{actor: actor, name: "reboot", stage: runtime.MachineStageRebooting, how: rebooted})
}

func (b *boot) goDown(d down) {
	if b.leave() != nil {
		return
	}
	b.machine.log.Printf("%s", d.name)
	before := b.stageNow()
	b.events.publish(d.actor, sequence(d.name, true))
	b.setStage(d.stage)
	if d.first != nil {
		if err := d.first(); err != nil {
			b.failed(d, before, err)
			return
		}
	}
	b.events.publish(d.actor, &machine.PhaseEvent{Phase: "stopEverything", Action: machine.PhaseEvent_START})
	b.events.publish(d.actor, &machine.TaskEvent{Task: "stopAllServices", Action: machine.TaskEvent_START})
	b.stopServices()
	b.events.publish(d.actor, &machine.TaskEvent{Task: "stopAllServices", Action: machine.TaskEvent_STOP})
	b.events.publish(d.actor, &machine.PhaseEvent{Phase: "stopEverything", Action: machine.PhaseEvent_STOP})
	if d.last != nil {
		if err := d.last(); err != nil {
			b.machine.log.Printf("%s failed: %v", d.name, err)
		}
	}
	b.events.publish(d.actor, sequence(d.name, false))
	time.Sleep(pause)
	b.end(d.how)
}

func (b *boot) failed(d down, before runtime.MachineStage, err error) {
	b.machine.log.Printf("%s failed: %v", d.name, err)
	b.events.publish(d.actor, &machine.SequenceEvent{
		Sequence: d.name, Action: machine.SequenceEvent_NOOP,
		Error: &common.Error{Code: common.Code_FATAL, Message: fmt.Sprintf("sequence failed: %v", err)},
	})
	b.stay()
	b.setStage(before)
}

func (b *boot) stageNow() runtime.MachineStage {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stage
}

func sequence(name string, start bool) *machine.SequenceEvent {
	action := machine.SequenceEvent_STOP
	if start {
		action = machine.SequenceEvent_START
	}
	return &machine.SequenceEvent{Sequence: name, Action: action}
}

// leaveCluster is the graceful part of a reset: it cordons and drains the node and removes the etcd member.
func (b *boot) leaveCluster() error {
	b.mu.Lock()
	agent, plane := b.kubelet, b.plane
	b.mu.Unlock()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	if agent != nil {
		if err := agent.Drain(ctx); err != nil {
			return fmt.Errorf("cordoning and draining the node: %w", err)
		}
	}
	if plane == nil {
		return nil
	}
	client, err := plane.EtcdClient()
	if err != nil {
		return err
	}
	defer client.Close()
	return leaveEtcd(ctx, client, plane, b.machine.address)
}
