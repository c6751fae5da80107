package talos

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"github.com/siderolabs/talos/pkg/machinery/compatibility"
	"github.com/siderolabs/talos/pkg/machinery/constants"
	"github.com/siderolabs/talos/pkg/machinery/resources/runtime"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Upgrade pulls an installer image, drains the node, writes the image to the other boot slot and reboots. A staged upgrade
// reboots first, without a drain. Source: siderolabs/talos v1.13.9, internal/app/machined/internal/server/v1alpha1,
// Upgrade; internal/app/machined/pkg/runtime/v1alpha1/v1alpha1_sequencer.go, Upgrade and StageUpgrade.
func (m *machined) Upgrade(ctx context.Context, in *machine.UpgradeRequest) (*machine.UpgradeResponse, error) {
	if !m.machine.kept().Installed {
		return nil, status.Error(codes.FailedPrecondition, "Talos is not installed")
	}
	if _, err := m.machine.pull(in.Image); err != nil {
		return nil, fmt.Errorf("error validating installer image %q: %w", in.Image, err)
	}
	m.keepImage(systemImages, in.Image)
	if cfg := m.config(); cfg != nil && cfg.Machine().Type().IsControlPlane() && !in.Force && !in.Preserve {
		if err := m.withEtcd(ctx, "upgrade", m.checkEtcdForUpgrade); err != nil {
			return nil, err
		}
	}
	actor := uuid.New().String()
	d := down{actor: actor, name: "upgrade", stage: runtime.MachineStageUpgrading, drain: true, how: rebooted, last: func() error {
		return m.upgradeTo(in.Image)
	}}
	switch {
	case m.inMaintenance():
		d.name, d.drain = "maintenanceUpgrade", false
	case in.Stage:
		if err := m.machine.change(func(r *record) { r.StagedImage = in.Image }); err != nil {
			return nil, fmt.Errorf("error adding staged upgrade image ref tag: %w", err)
		}
		d.name, d.drain, d.last = "stageUpgrade", false, nil
	}
	go m.goDown(d)
	return &machine.UpgradeResponse{Messages: []*machine.Upgrade{{Ack: "Upgrade request received", ActorId: actor}}}, nil
}

// upgradeTo is the upgrade sequence's task of that name.
func (m *machined) upgradeTo(image string) error {
	if !sleep(m.ctx, installTime) {
		return m.ctx.Err()
	}
	if err := m.machine.runInstaller(image, m.image.Version, m.machine.log.Printf); err != nil {
		return errors.New(`error running phase 9 in upgrade sequence: task 1/1: failed, task "upgrade" failed: exit code 1`)
	}
	return nil
}

// Rollback boots the image of the other slot.
func (m *machined) Rollback(context.Context, *machine.RollbackRequest) (*machine.RollbackResponse, error) {
	if !m.machine.kept().Installed {
		return nil, status.Errorf(codes.FailedPrecondition, "system disk not found")
	}
	reverted, err := m.machine.kept().revert()
	if err != nil {
		return nil, err
	}
	m.machine.log.Printf("reverting to previous UKI: %s", reverted.Version)
	if err := m.machine.change(func(r *record) { r.slots = reverted }); err != nil {
		return nil, err
	}
	go m.reboot("")
	return &machine.RollbackResponse{Messages: []*machine.Rollback{{}}}, nil
}

// runInstaller is what the installer image does on a machine that runs a release: it compares the releases, and writes the
// other boot slot. Source: siderolabs/talos v1.13.9, cmd/installer/pkg/install, install.go and preflight.go.
func (m *Machine) runInstaller(image, running string, printf func(string, ...any)) error {
	next, err := m.pull(image)
	if err != nil {
		return err
	}
	printf("running Talos installer %s", next.Version)
	printf("running pre-flight checks")
	printf("host Talos version: %s", running)
	if err := upgradeable(running, next.Version); err != nil {
		err = fmt.Errorf("pre-flight checks failed: %w", err)
		printf("Error: %v", err)
		return err
	}
	printf("all pre-flight checks successful")
	if err := m.change(func(r *record) {
		r.slots = r.upgrade(next)
		if r.Installation != nil {
			written := *r.Installation
			written.Signed = signed(image)
			r.Installation = &written
		}
	}); err != nil {
		return err
	}
	printf("updating EFI variables")
	printf("installation of %s complete", next.Version)
	return nil
}

// upgradeable refuses releases between which Talos does not upgrade.
func upgradeable(running, next string) error {
	from, err := compatibility.ParseTalosVersion(&machine.VersionInfo{Tag: running})
	if err != nil {
		return err
	}
	to, err := compatibility.ParseTalosVersion(&machine.VersionInfo{Tag: next})
	if err != nil {
		return err
	}
	return to.UpgradeableFrom(from)
}

// upgradeLockSeconds is how long the lock lasts that keeps two members from being checked at once.
const upgradeLockSeconds = 60

// checkEtcdForUpgrade checks that etcd keeps its quorum while this machine reboots. Source: siderolabs/talos v1.13.9,
// internal/pkg/etcd/etcd.go, ValidateForUpgrade; tryLockUpgradeMutex of the server.
func (m *machined) checkEtcdForUpgrade(ctx context.Context, client *clientv3.Client) error {
	session, err := concurrency.NewSession(client, concurrency.WithContext(ctx), concurrency.WithTTL(upgradeLockSeconds))
	if err != nil {
		return fmt.Errorf("failed to acquire upgrade mutex: error establishing etcd concurrency session: %w", err)
	}
	defer session.Close()
	lock := concurrency.NewMutex(session, constants.EtcdTalosEtcdUpgradeMutex)
	if err := lock.TryLock(ctx); err != nil {
		return fmt.Errorf("failed to acquire upgrade mutex: error trying to lock etcd upgrade mutex: %w", err)
	}
	defer lock.Unlock(ctx) //nolint:errcheck // the session's end releases it too
	if err := m.checkMembers(ctx, client); err != nil {
		return fmt.Errorf("error validating etcd for upgrade: %w", err)
	}
	return nil
}

func (m *machined) checkMembers(ctx context.Context, client *clientv3.Client) error {
	list, err := client.MemberList(ctx)
	if err != nil {
		return err
	}
	if len(list.Members) == 2 {
		return errors.New("etcd member count(2) is insufficient to maintain quorum if upgrade commences")
	}
	for _, member := range list.Members {
		if member.Name == "" {
			return fmt.Errorf("etcd member %016x is not started, all members must be running to perform an upgrade", member.ID)
		}
		if err := m.memberAnswers(ctx, member.ClientURLs); err != nil {
			return fmt.Errorf("etcd member %016x is not healthy; all members must be healthy to perform an upgrade: %w", member.ID, err)
		}
	}
	return nil
}

// quorumTimeout is how long a member may take to answer.
const quorumTimeout = 15 * time.Second

// memberAnswers asks a member for any key, which needs a quorum.
func (m *machined) memberAnswers(ctx context.Context, endpoints []string) error {
	m.mu.Lock()
	plane := m.plane
	m.mu.Unlock()
	client, err := plane.MemberClient(endpoints)
	if err != nil {
		return fmt.Errorf("failed to create client to member: %w", err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, quorumTimeout)
	defer cancel()
	_, err = client.Get(ctx, "health")
	return err
}
