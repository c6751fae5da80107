package talos

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/siderolabs/talos/pkg/machinery/api/common"
	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"hearth.dev/lab/internal/labconfig"
)

const plainSchematic = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba"

func installerOf(schematic, version string) string {
	return "factory.talos.dev/nocloud-installer/" + schematic + ":" + version
}

func TestMain(m *testing.M) {
	installTime, bootFailTime, pause = time.Millisecond, time.Millisecond, time.Millisecond
	m.Run()
}

// booted is a virtual machine with Talos v1.13.8 in maintenance mode.
func booted(t *testing.T) *machined {
	t.Helper()
	m, err := New(&labconfig.Lab{Dir: t.TempDir()}, labconfig.Machine{
		Name: "wk01", Address: "127.94.0.1", Platform: "nocloud", Cores: 2, MemoryMiB: 4096,
		Disks: []labconfig.Disk{{Device: "/dev/sda", SizeGiB: 20}}, Image: labconfig.Image{Version: "v1.13.8"},
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := m.newBoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &machined{boot: b}
}

// sent collects what a call streams.
type sent[T any] struct {
	grpc.ServerStream
	ctx context.Context
	all []*T
}

func (s *sent[T]) Context() context.Context { return s.ctx }
func (s *sent[T]) Send(each *T) error       { s.all = append(s.all, each); return nil }

var system = &common.ContainerdInstance{Driver: common.ContainerDriver_CRI, Namespace: common.ContainerdNamespace_NS_SYSTEM}

func (m *machined) pullFor(t *testing.T, image string) error {
	stream := &sent[machine.ImageServicePullResponse]{ctx: t.Context()}
	return (&imageService{boot: m.boot}).Pull(&machine.ImageServicePullRequest{Containerd: system, ImageRef: image}, stream)
}

// upgradeBy upgrades by the LifecycleService and returns the installer's exit code and output.
func (m *machined) upgradeBy(t *testing.T, image string) (code int32, output string, err error) {
	stream := &sent[machine.LifecycleServiceUpgradeResponse]{ctx: t.Context()}
	err = (&lifecycleService{boot: m.boot}).Upgrade(&machine.LifecycleServiceUpgradeRequest{
		Containerd: system, Source: &machine.InstallArtifactsSource{ImageName: image},
	}, stream)
	for _, each := range stream.all {
		output += each.Progress.GetMessage()
		code = each.Progress.GetExitCode()
	}
	return code, output, err
}

func (m *machined) upgraded(t *testing.T, version string) {
	t.Helper()
	image := installerOf(plainSchematic, version)
	if err := m.pullFor(t, image); err != nil {
		t.Fatal(err)
	}
	if code, output, err := m.upgradeBy(t, image); code != 0 || err != nil {
		t.Fatal(code, output, err)
	}
}

func (m *machined) runs(t *testing.T) string {
	t.Helper()
	answer, err := m.Version(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return answer.Messages[0].Version.Tag
}

func TestAnUpgradeWritesTheOtherSlotAndTheRebootBootsIt(t *testing.T) {
	m := booted(t)
	m.upgraded(t, "v1.13.9")
	if got := m.runs(t); got != "v1.13.8" {
		t.Errorf("before the reboot it runs %s", got)
	}
	kept := m.machine.kept()
	if kept.Version != "v1.13.9" || kept.Schematic != plainSchematic || kept.Other.Version != "v1.13.8" || !kept.Upgraded {
		t.Errorf("the slots are %+v", kept)
	}
	next, err := m.machine.newBoot(t.Context())
	if err != nil || next.image.Version != "v1.13.9" || next.id == m.id {
		t.Errorf("the next boot is %+v, %v", next.image, err)
	}
}

func TestAnUpgradeIsRefusedInTalosWords(t *testing.T) {
	m := booted(t)
	unknown := installerOf(strings.Repeat("ab", 32), "v1.13.9")
	if err := m.pullFor(t, unknown); status.Code(err) != codes.NotFound || !strings.Contains(err.Error(), `failed to resolve reference "`+unknown) {
		t.Errorf("a schematic that nobody posted: %v", err)
	}
	_, _, err := m.upgradeBy(t, installerOf(plainSchematic, "v1.13.9"))
	if status.Code(err) != codes.Internal || !strings.Contains(err.Error(), "not found in containerd store") {
		t.Errorf("an image that was not pulled: %v", err)
	}
	early := installerOf(plainSchematic, "v1.20.0")
	if err := m.pullFor(t, early); err != nil {
		t.Fatal(err)
	}
	code, output, err := m.upgradeBy(t, early)
	if code != 1 || err != nil || !strings.Contains(output, "pre-flight checks failed: upgrades to version 1.20.0 are not supported") {
		t.Errorf("a release that is too far away: %d %q %v", code, output, err)
	}
	if kept := m.machine.kept(); kept.Version != "v1.13.8" || kept.Other != nil {
		t.Errorf("the slots are %+v", kept)
	}
	missing := filepath.Join(m.machine.lab.Dir, "missing-images")
	if err := os.WriteFile(missing, []byte(":v1.13.9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	image := installerOf(plainSchematic, "v1.13.9")
	if err := m.pullFor(t, image); status.Code(err) != codes.NotFound {
		t.Errorf("a tag that the registry does not have: %v", err)
	}
	if _, err := m.Upgrade(t.Context(), &machine.UpgradeRequest{Image: image}); err == nil ||
		!strings.HasPrefix(err.Error(), `error validating installer image "`+image+`": failed to pull image "`+image) {
		t.Errorf("the older call: %v", err)
	}
}

func TestARollbackBootsTheOtherSlot(t *testing.T) {
	m := booted(t)
	if _, err := m.Rollback(t.Context(), nil); err == nil || err.Error() != "previous UKI not found" {
		t.Errorf("without an upgrade: %v", err)
	}
	m.upgraded(t, "v1.13.9")
	if _, err := m.Rollback(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if how := <-m.ended; how != rebooted {
		t.Errorf("it ends with %v", how)
	}
	if kept := m.machine.kept(); kept.Version != "v1.13.8" || kept.Other.Version != "v1.13.9" {
		t.Errorf("the slots are %+v", kept)
	}
}

func TestAFailedBootFallsBackOnlyAfterAnUpgrade(t *testing.T) {
	m := booted(t)
	m.upgraded(t, "v1.13.9")
	if err := writeFile(m.machine.disk.path("unbootable"), []byte("v1.13.9\nv1.13.8\n")); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"v1.13.8", "v1.13.8"} {
		how, err := m.machine.boot(t.Context())
		if how != rebooted || err != nil {
			t.Fatal(how, err)
		}
		if kept := m.machine.kept(); kept.Version != want || kept.Upgraded {
			t.Errorf("the slots are %+v", kept)
		}
	}
}

func TestAMachineThatWasReadyDoesNotFallBack(t *testing.T) {
	m := booted(t)
	m.upgraded(t, "v1.13.9")
	m.machine.keepUpgrade()
	if err := writeFile(m.machine.disk.path("unbootable"), []byte("v1.13.9\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := m.machine.boot(t.Context()); err != nil {
		t.Fatal(err)
	}
	if kept := m.machine.kept(); kept.Version != "v1.13.9" {
		t.Errorf("the slots are %+v", kept)
	}
}

func TestAStagedUpgradeIsInstalledByTheNextBoot(t *testing.T) {
	m := booted(t)
	// The second release is too far away. It does not keep the machine from booting what it has.
	for _, image := range []string{installerOf(plainSchematic, "v1.13.9"), installerOf(plainSchematic, "v1.20.0")} {
		if err := m.machine.change(func(r *record) { r.StagedImage = image }); err != nil {
			t.Fatal(err)
		}
		if how, err := m.machine.boot(t.Context()); how != rebooted || err != nil {
			t.Fatal(how, err)
		}
		if kept := m.machine.kept(); kept.StagedImage != "" || kept.Version != "v1.13.9" {
			t.Errorf("%s: the slots are %+v", image, kept)
		}
	}
}
