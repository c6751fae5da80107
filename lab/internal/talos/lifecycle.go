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
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"hearth.dev/lab/internal/controlplane"
)

// pause gives clients time to read the last events before the API stops.
var pause = 400 * time.Millisecond

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
func (m *machined) Shutdown(_ context.Context, in *machine.ShutdownRequest) (*machine.ShutdownResponse, error) {
	actor := uuid.New().String()
	go m.goDown(down{
		actor: actor, name: "shutdown", stage: runtime.MachineStageShuttingDown, drain: !in.Force, how: poweredOff,
	})
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
		if device == m.machine.kept().SystemDisk {
			return fmt.Errorf("reset user disk failed: device %s is the system disk", device)
		}
	}
	if len(in.SystemPartitionsToWipe) > 0 && in.Mode == machine.ResetRequest_USER_DISKS {
		return errors.New("reset failed: invalid input, wipe mode USER_DISKS doesn't support SystemPartitionsToWipe parameter")
	}
	for _, partition := range in.SystemPartitionsToWipe {
		if !slices.Contains(systemVolumes, partition.Label) || !m.machine.kept().Installed {
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

// down is a sequence that ends with the machine off or rebooting.
type down struct {
	actor string
	name  string
	stage runtime.MachineStage
	// drain says whether the node's pods are evicted first.
	drain bool
	// first runs while everything still runs.
	first func() error
	// last runs after everything has stopped.
	last func() error
	how  ending
}

func (b *boot) reboot(actor string) {
	b.goDown(down{actor: actor, name: "reboot", stage: runtime.MachineStageRebooting, how: rebooted})
}

// goDown runs a sequence. As in Talos, a sequence that fails is fatal: the machine reboots, or powers off where that was asked
// for. Source: siderolabs/talos v1.13.9, internal/app/machined/main.go, runEntrypoint and handle.
func (b *boot) goDown(d down) {
	if b.leave() != nil {
		return
	}
	// The answer to the request goes out before. On a busy computer it was cut off.
	time.Sleep(pause)
	b.machine.log.Printf("%s", d.name)
	b.events.publish(d.actor, sequence(d.name, true))
	b.setStage(d.stage)
	failure := b.stillRunning(d)
	if failure != nil {
		b.failed(d, failure)
	}
	b.events.publish(d.actor, &machine.PhaseEvent{Phase: "stopEverything", Action: machine.PhaseEvent_START})
	b.events.publish(d.actor, &machine.TaskEvent{Task: "stopAllServices", Action: machine.TaskEvent_START})
	b.stopServices()
	b.events.publish(d.actor, &machine.TaskEvent{Task: "stopAllServices", Action: machine.TaskEvent_STOP})
	b.events.publish(d.actor, &machine.PhaseEvent{Phase: "stopEverything", Action: machine.PhaseEvent_STOP})
	if d.last != nil && failure == nil {
		if failure = d.last(); failure != nil {
			b.failed(d, failure)
		}
	}
	if failure != nil && d.name != "shutdown" {
		d.how = rebooted
	}
	b.events.publish(d.actor, sequence(d.name, false))
	time.Sleep(pause)
	b.end(d.how)
}

// stillRunning does what precedes the end of all services.
func (b *boot) stillRunning(d down) error {
	if d.drain {
		if err := b.drain(); err != nil {
			return fmt.Errorf("error running phase 1 in %s sequence: task 1/1: failed, %w", d.name, err)
		}
	}
	if d.first != nil {
		return d.first()
	}
	return nil
}

func (b *boot) failed(d down, err error) {
	b.machine.log.Printf("%s failed: %v", d.name, err)
	b.events.publish(d.actor, &machine.SequenceEvent{
		Sequence: d.name, Action: machine.SequenceEvent_NOOP,
		Error: &common.Error{Code: common.Code_FATAL, Message: fmt.Sprintf("sequence failed: %v", err)},
	})
	if d.name != "shutdown" {
		b.setStage(runtime.MachineStageRebooting)
	}
	time.Sleep(pause)
}

func sequence(name string, start bool) *machine.SequenceEvent {
	action := machine.SequenceEvent_STOP
	if start {
		action = machine.SequenceEvent_START
	}
	return &machine.SequenceEvent{Sequence: name, Action: action}
}

// cordons reports whether Talos keeps new pods away from a node in this stage. Source: siderolabs/talos v1.13.9,
// internal/app/machined/pkg/controllers/k8s/node_cordoned_spec.go.
func cordons(stage runtime.MachineStage) bool {
	return stage == runtime.MachineStageShuttingDown || stage == runtime.MachineStageUpgrading || stage == runtime.MachineStageResetting
}

// drain waits until the node is cordoned and evicts its pods.
func (b *boot) drain() error {
	b.mu.Lock()
	agent := b.kubelet
	b.mu.Unlock()
	if agent == nil {
		return nil
	}
	return agent.Drain(b.ctx)
}

// leaveCluster is the graceful part of a reset. Talos only logs why it could not drain the node. With the node's last pods it gives its
// shared addresses up, before it leaves etcd. Source: siderolabs/talos v1.13.9, Reset of v1alpha1_sequencer.go.
func (b *boot) leaveCluster() error {
	if err := b.drain(); err != nil {
		b.machine.log.Printf("draining the node: %v", err)
	}
	b.mu.Lock()
	plane, shared := b.plane, b.shared
	b.shared = nil
	b.mu.Unlock()
	shared.stop()
	if plane == nil {
		return nil
	}
	client, err := plane.EtcdClient()
	if err != nil {
		return err
	}
	defer client.Close()
	return leaveEtcd(clientv3.WithRequireLeader(b.ctx), client, plane, b.machine.address)
}
