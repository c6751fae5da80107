package talos

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/siderolabs/talos/pkg/machinery/api/common"
	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestContainersProcessesAndMemoryAgree(t *testing.T) {
	m := booted(t)
	m.services.set("apid", stateRunning, "Started")
	containers, err := m.Containers(t.Context(), &machine.ContainersRequest{Namespace: "system"})
	if err != nil || len(containers.Messages[0].Containers) != 1 || containers.Messages[0].Containers[0].Id != "apid" {
		t.Fatalf("containers %v, %v", containers, err)
	}
	pid, used := int32(containers.Messages[0].Containers[0].Pid), uint64(0)
	processes, _ := m.Processes(t.Context(), nil)
	found := false
	for _, process := range processes.Messages[0].Processes {
		found = found || process.Pid == pid && process.Command == "apid"
		used += process.ResidentMemory >> 10
	}
	memory, _ := m.Memory(t.Context(), nil)
	info := memory.Messages[0].Meminfo
	if !found || info.Memtotal-info.Memfree != used {
		t.Errorf("process %d found: %v; %d KiB used and %d in processes", pid, found, info.Memtotal-info.Memfree, used)
	}
	stats, _ := m.Stats(t.Context(), &machine.StatsRequest{Namespace: "system"})
	if len(stats.Messages[0].Stats) != 1 || stats.Messages[0].Stats[0].MemoryUsage == 0 {
		t.Errorf("stats %v", stats)
	}
	sockets, _ := m.Netstat(t.Context(), &machine.NetstatRequest{
		Filter: machine.NetstatRequest_LISTENING, L4Proto: &machine.NetstatRequest_L4Proto{Tcp: true},
		Netns: &machine.NetstatRequest_NetNS{Hostnetwork: true}, Feature: &machine.NetstatRequest_Feature{Pid: true},
	})
	if all := sockets.Messages[0].Connectrecord; len(all) != 1 || all[0].Localport != 50000 || int32(all[0].Process.Pid) != pid {
		t.Errorf("sockets %v", all)
	}
}

func TestContainersAreRefusedInTalosWords(t *testing.T) {
	m := booted(t)
	for request, want := range map[*machine.ContainersRequest]string{
		{}: "namespace can't be empty",
		{Namespace: "system", Driver: common.ContainerDriver_CRI}: "CRI inspector is supported only for K8s namespace",
		{Namespace: "system", Driver: 7}:                          `unsupported driver`,
	} {
		if _, err := m.Containers(t.Context(), request); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", request, err)
		}
	}
}

func TestFilesAreReadListedAndCopied(t *testing.T) {
	m := booted(t)
	read := &sent[common.Data]{ctx: t.Context()}
	if err := m.Read(&machine.ReadRequest{Path: "/etc/os-release"}, read); err != nil || !strings.Contains(string(read.all[0].Bytes), "v1.13.8") {
		t.Errorf("reading: %v, %v", read.all, err)
	}
	if err := m.Read(&machine.ReadRequest{Path: "/etc"}, read); err == nil || err.Error() != "path must be a regular file" {
		t.Errorf("reading a folder: %v", err)
	}
	if err := m.Read(&machine.ReadRequest{Path: "/no"}, read); status.Code(err) != codes.NotFound {
		t.Errorf("reading what is not there: %v", err)
	}
	listed := &sent[machine.FileInfo]{ctx: t.Context()}
	if err := m.List(&machine.ListRequest{Root: "/"}, listed); err != nil {
		t.Fatal(err)
	}
	names := ""
	for _, each := range listed.all {
		names += each.RelativeName + " "
	}
	if names != ". boot dev etc opt proc run sbin sys system tmp usr var " {
		t.Errorf("the root has %q", names)
	}
	copied := &sent[common.Data]{ctx: t.Context()}
	if err := m.Copy(&machine.CopyRequest{RootPath: "/etc"}, copied); err != nil {
		t.Fatal(err)
	}
	if content, err := untar(copied.all, "os-release"); err != nil || content != string(read.all[0].Bytes) {
		t.Errorf("the copy has %q, %v", content, err)
	}
}

// untar returns a file of the archive that a call sent.
func untar(sent []*common.Data, name string) (string, error) {
	var all []byte
	for _, each := range sent {
		all = append(all, each.Bytes...)
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(all))
	if err != nil {
		return "", err
	}
	for reader := tar.NewReader(unpacked); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return "", errors.New("it is not there")
		}
		if err != nil {
			return "", err
		}
		if header.Name == name {
			content, err := io.ReadAll(reader)
			return string(content), err
		}
	}
}

func TestMetaSurvivesAReboot(t *testing.T) {
	m := booted(t)
	if _, err := m.MetaWrite(t.Context(), &machine.MetaWriteRequest{Key: 10, Value: []byte("kept")}); err != nil {
		t.Fatal(err)
	}
	again, err := New(m.machine.lab, m.machine.spec)
	if err != nil || string(again.kept().Meta[10]) != "kept" {
		t.Errorf("after a reboot: %v, %v", again.kept().Meta, err)
	}
	if _, err := m.MetaDelete(t.Context(), &machine.MetaDeleteRequest{Key: 10}); err != nil {
		t.Error(err)
	}
	if _, err := m.MetaDelete(t.Context(), &machine.MetaDeleteRequest{Key: 10}); status.Code(err) != codes.NotFound {
		t.Errorf("a key that is not there: %v", err)
	}
	if _, err := m.MetaWrite(t.Context(), &machine.MetaWriteRequest{Key: 300}); status.Code(err) != codes.InvalidArgument {
		t.Errorf("a key that is too large: %v", err)
	}
}

func TestTheTimeIsThatOfTheMachinesClock(t *testing.T) {
	m := booted(t)
	if err := writeFile(m.machine.disk.path("clock"), []byte("-2h\n")); err != nil {
		t.Fatal(err)
	}
	answer, err := (&timeService{boot: m.boot}).Time(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	one := answer.Messages[0]
	if off := one.Remotetime.AsTime().Sub(one.Localtime.AsTime()); off.Hours() < 1.9 || one.Server != "time.cloudflare.com" {
		t.Errorf("%s says that it is off by %s", one.Server, off)
	}
}

func TestEtcdGoesDownToMinorReleasesOnly(t *testing.T) {
	for version, want := range map[string]string{
		"": "version is required", "3.5.1": "MAJOR.MINOR", "3": "MAJOR.MINOR", "a.5": "major version", "3.b": "minor version",
		"3.4": "only supported to 3.5", "2.9": "only supported to 3.5",
	} {
		if err := checkDowngrade(version); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", version, err)
		}
	}
	if err := checkDowngrade("3.5"); err != nil {
		t.Error(err)
	}
}
