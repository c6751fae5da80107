package talos

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cosi-project/runtime/pkg/resource"
	"github.com/siderolabs/talos/pkg/machinery/api/common"
	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// none are the kinds that a real control plane has nothing of either: what this one is not configured to have, what is there for a
// moment, and what parts of the machine tell that this test does not start.
var none = strings.Fields(`
	Affiliates.cluster Identities.cluster Infos.cluster Members.cluster EtcdMembers.etcd MachineConfigs.config MachineTypes.config
	HostnameStatuses.net HardwareAddresses.net Nodenames.kubernetes Endpoints.kubernetes NodeIPs.kubernetes NodeStatuses.kubernetes
	StaticPods.kubernetes StaticPodStatuses.kubernetes NodeCordonedSpecs.k8s NodeLabelSpecs.k8s NodeTaintSpecs.k8s NodeAnnotationSpecs.k8s
	BlockSymlinks.block DiscoveryRefreshRequests.block MountRequests.block SystemDisks.block VolumeStatuses.block VolumeMountRequests.block
	SwapStatuses.block ZswapStatuses.block SeccompProfiles.cri PCIDriverRebindConfigs.runtime PCIDriverRebindStatuses.runtime PCRStatuses.hardware
	DeviceConfigSpecs.net EthernetSpecs.net LinkAliasSpecs.net LinkRefreshes.net NfTablesChains.net OperatorSpecs.net ProbeSpecs.net ProbeStatuses.net
	RoutingRuleSpecs.net Diagnostics.runtime EventSinkConfigs.runtime ExtensionServiceConfigs.runtime ExtensionServiceConfigStatuses.runtime
	ExtensionStatuses.runtime KmsgLogConfigs.runtime MachineResetSignals.runtime MachineStatuses.runtime MaintenanceServiceConfigs.runtime
	MaintenanceServiceRequests.runtime MetaKeys.runtime OOMActions UniqueMachineTokens.runtime KernelModuleSpecs.runtime
	KernelParamSpecs.runtime WatchdogTimerConfigs.runtime WatchdogTimerStatuses.runtime KubernetesRootSecrets.secrets MaintenanceRootSecrets.secrets
	ImageVerificationRules.security SiderolinkConfigs.siderolink SiderolinkStatuses.siderolink SiderolinkTunnels.siderolink
	KubeSpanConfigs.kubespan KubeSpanEndpoints.kubespan KubeSpanIdentities.kubespan KubeSpanPeerSpecs.kubespan KubeSpanPeerStatuses.kubespan
	KubeletLifecycles.kubernetes`)

// gaps are the kinds that a real control plane has something of, and the lab's does not.
var gaps = strings.Fields(`
	ApiCertificates.secrets EncryptionSalts.secrets EtcdSecrets.secrets KubeletSecrets.secrets KubernetesSecrets.secrets
	KubernetesDynamicCerts.secrets TrustdCertificates.secrets AcquireConfigSpecs.v1alpha1 AcquireConfigStatuses.v1alpha1
	AuthorizationConfigs.kubernetes KubeletKubeconfigs.kubernetes KubePrismStatuses.kubernetes StaticPodServerStatuses.kubernetes
	DNSResolveCaches.net DNSUpstreams.net PlatformConfigs.net RoutingRuleStatuses.net Environments.runtime LoadedKernelModules.runtime
	SBOMItems ServicePIDs.runtime MountStatuses.block VolumeLifecycles.block VolumeMountStatuses.block TUFTrustedRoots.security`)

func TestEveryKindOfTalosCanBeListedAndSent(t *testing.T) {
	m, cfg := booted(t), controlPlaneConfig(t)
	m.services.set("apid", stateRunning, "Started")
	m.publishHardware()
	m.publishControlPlane(cfg)
	m.publishKubelet(cfg, "cp01")
	m.publishConfigured(cfg, "cp01")
	m.publishDetails(cfg, "cp01")
	known := map[string]bool{}
	for _, kind := range kinds {
		definition := kind.ResourceDefinition()
		known[strings.TrimSuffix(definition.Type, ".talos.dev")] = true
		list, err := m.state.List(t.Context(), resource.NewMetadata(definition.DefaultNamespace, definition.Type, "", resource.VersionUndefined))
		if err != nil {
			t.Errorf("%s: %v", definition.Type, err)
			continue
		}
		isEmpty := slices.Contains(slices.Concat(none, gaps), strings.TrimSuffix(definition.Type, ".talos.dev"))
		if len(list.Items) == 0 != isEmpty {
			t.Errorf("%s has %d items, and is listed as empty: %v", definition.Type, len(list.Items), isEmpty)
		}
		requireSendable(t, list)
	}
	for _, name := range slices.Concat(none, gaps) {
		if !known[name] {
			t.Errorf("%s is not a kind", name)
		}
	}
}

func TestControllersReadAndWriteWhatTalosRegisters(t *testing.T) {
	known := map[string]bool{}
	for _, kind := range kinds {
		known[kind.ResourceDefinition().Type] = true
	}
	answer, err := inspectService{}.ControllerRuntimeDependencies(t.Context(), nil)
	if err != nil || len(answer.Messages[0].Edges) < 400 {
		t.Fatalf("%v, %v", answer, err)
	}
	for _, edge := range answer.Messages[0].Edges {
		if !known[edge.ResourceType] || edge.ResourceNamespace == "" || !strings.HasSuffix(edge.ControllerName, "Controller") {
			t.Errorf("%v", edge)
		}
	}
}

func TestControlGroupsAgreeWithTheMemory(t *testing.T) {
	m := booted(t)
	m.services.set("apid", stateRunning, "Started")
	_, used := m.memoryUse()
	files := m.files()
	if want := fmt.Sprintln(used << 10); files["/sys/fs/cgroup/memory.current"] != want {
		t.Errorf("the root has %q, not %q", files["/sys/fs/cgroup/memory.current"], want)
	}
	if files["/sys/fs/cgroup/system/apid/cgroup.procs"] == "" || files["/sys/fs/cgroup/system/cgroup.procs"] != "" {
		t.Error("apid's process is not in its own group alone")
	}
	if list := files["/proc/bus/pci/devices"]; !strings.Contains(list, "0090\t1af41000\t") {
		t.Errorf("the devices are %q", list)
	}
}

// captureStream is a stream that ends once it has been sent so many bytes.
type captureStream struct {
	sent[common.Data]
	bytes  []byte
	enough int
	end    func()
}

func (c *captureStream) Send(each *common.Data) error {
	if c.bytes = append(c.bytes, each.Bytes...); len(c.bytes) >= c.enough {
		c.end()
	}
	return nil
}

// capture returns what a capture streams until it has so many bytes, or the time is over.
func (m *machined) capture(t *testing.T, in *machine.PacketCaptureRequest, enough int, atMost time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(t.Context(), atMost)
	defer cancel()
	stream := &captureStream{sent: sent[common.Data]{ctx: ctx}, enough: enough, end: cancel}
	err := m.PacketCapture(in, stream)
	return stream.bytes, err
}

func TestPacketsAreCaptured(t *testing.T) {
	m := booted(t)
	m.publishHardware()
	content, _ := m.capture(t, &machine.PacketCaptureRequest{Interface: "eth0"}, 24+16+60, time.Minute)
	if len(content) < 24+16+60 || binary.LittleEndian.Uint32(content) != 0xa1b2c3d4 || binary.LittleEndian.Uint32(content[20:]) != 1 {
		t.Fatalf("the capture is %x", content)
	}
	frame := content[40:]
	if asks := net.IP(frame[38:42]).String(); frame[12] != 8 || frame[13] != 6 || asks != m.gateway().String() {
		t.Errorf("the packet asks for %s: %x", asks, frame)
	}
	short, _ := m.capture(t, &machine.PacketCaptureRequest{Interface: "eth0", SnapLen: 20}, 24+16+20, time.Minute)
	if len(short) != 24+16+20 || binary.LittleEndian.Uint32(short[36:]) != 60 {
		t.Errorf("the short capture is %x", short)
	}
	// Accepts IPv4 alone: load the type of the frame, compare, accept all or nothing.
	ipv4 := []*machine.BPFInstruction{{Op: 0x28, K: 12}, {Op: 0x15, Jt: 0, Jf: 1, K: 0x800}, {Op: 6, K: 262144}, {Op: 6, K: 0}}
	if none, _ := m.capture(t, &machine.PacketCaptureRequest{Interface: "eth0", BpfFilter: ipv4}, 25, 300*time.Millisecond); len(none) != 24 {
		t.Errorf("the filtered capture is %x", none)
	}
	ipv4[1].K = 0x806
	if some, _ := m.capture(t, &machine.PacketCaptureRequest{Interface: "eth0", BpfFilter: ipv4}, 25, time.Minute); len(some) == 24 {
		t.Error("the filter for ARP lets nothing pass")
	}
	if _, err := m.capture(t, &machine.PacketCaptureRequest{Interface: "eth0", BpfFilter: []*machine.BPFInstruction{{Op: 0xffff}}}, 0, time.Minute); err == nil ||
		!strings.Contains(err.Error(), "error setting BPF filter: invalid argument") {
		t.Errorf("a filter that is none: %v", err)
	}
	if _, err := m.capture(t, &machine.PacketCaptureRequest{Interface: "eth9"}, 0, time.Minute); status.Code(err) != codes.NotFound {
		t.Errorf("a link that is not there: %v", err)
	}
}

// uploaded is a stream of requests that a client sends.
type uploaded struct {
	grpc.ServerStream
	requests []*machine.ImageServiceImportRequest
	answer   *machine.ImageServiceImportResponse
}

func (u *uploaded) Recv() (*machine.ImageServiceImportRequest, error) {
	if len(u.requests) == 0 {
		return nil, io.EOF
	}
	next := u.requests[0]
	u.requests = u.requests[1:]
	return next, nil
}

func (u *uploaded) SendAndClose(answer *machine.ImageServiceImportResponse) error {
	u.answer = answer
	return nil
}

func TestAnImageIsImportedFromAnArchive(t *testing.T) {
	m := booted(t)
	load := func(file, content string) (string, error) {
		var archive bytes.Buffer
		writer := tar.NewWriter(&archive)
		_ = writer.WriteHeader(&tar.Header{Name: file, Size: int64(len(content)), Mode: 0o644, Typeflag: tar.TypeReg})
		_, _ = writer.Write([]byte(content))
		_ = writer.Close()
		stream := &uploaded{requests: []*machine.ImageServiceImportRequest{
			{Request: &machine.ImageServiceImportRequest_Containerd{Containerd: system}},
			{Request: &machine.ImageServiceImportRequest_ImageChunk{ImageChunk: &common.Data{Bytes: archive.Bytes()}}},
		}}
		err := (&imageService{boot: m.boot}).Import(stream)
		return stream.answer.GetName(), err
	}
	for file, content := range map[string]string{
		"manifest.json": `[{"RepoTags":["example.org/tools:1"]}]`,
		"index.json":    `{"manifests":[{"annotations":{"io.containerd.image.name":"example.org/tools:1"}}]}`,
	} {
		if name, err := load(file, content); err != nil || name != "example.org/tools:1" {
			t.Errorf("%s: %q, %v", file, name, err)
		}
	}
	if all, _ := m.imagesIn(systemImages); !hasImage(all, "example.org/tools:1") {
		t.Errorf("the image is not kept: %v", all)
	}
	if _, err := load("layer.tar", ""); status.Code(err) != codes.InvalidArgument {
		t.Errorf("an archive without an image: %v", err)
	}
}

// asked is a stream of a single request.
type asked struct {
	grpc.ServerStream
	request *machine.DebugContainerRunRequest
}

func (a asked) Recv() (*machine.DebugContainerRunRequest, error) { return a.request, nil }
func (asked) Send(*machine.DebugContainerRunResponse) error      { return nil }

func TestAContainerForDebuggingFindsNoProgramInItsImage(t *testing.T) {
	m := booted(t)
	run := func(spec *machine.DebugContainerRunRequestSpec) error {
		request := &machine.DebugContainerRunRequest{Request: &machine.DebugContainerRunRequest_Spec{Spec: spec}}
		if spec == nil {
			request = &machine.DebugContainerRunRequest{}
		}
		return (&debugService{boot: m.boot}).ContainerRun(asked{request: request})
	}
	if err := m.pullFor(t, "docker.io/library/alpine:3.22"); err != nil {
		t.Fatal(err)
	}
	privileged := machine.DebugContainerRunRequestSpec_PROFILE_PRIVILEGED
	for want, spec := range map[string]*machine.DebugContainerRunRequestSpec{
		"expected debug container spec":       nil,
		"unsupported debug container profile": {},
		"image docker.io/library/none:1 not found": {
			Containerd: system, ImageName: "docker.io/library/none:1", Profile: privileged,
		},
		`exec: "/bin/sh": executable file not found in $PATH`: {
			Containerd: system, ImageName: pinned("docker.io/library/alpine:3.22"), Profile: privileged, Args: []string{"/bin/sh"},
		},
	} {
		if err := run(spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", spec, err)
		}
	}
}
