package talos

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"runtime"
	"time"

	"github.com/siderolabs/crypto/x509"
	"github.com/siderolabs/talos/pkg/machinery/api/common"
	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	clientconfig "github.com/siderolabs/talos/pkg/machinery/client/config"
	"github.com/siderolabs/talos/pkg/machinery/role"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"hearth.dev/lab/internal/controlplane"
)

// Version returns the version and platform of the running Talos.
func (m *machined) Version(context.Context, *emptypb.Empty) (*machine.VersionResponse, error) {
	mode := "metal"
	if m.machine.platform() != "metal" {
		mode = "cloud"
	}
	answer := &machine.Version{
		Version:  &machine.VersionInfo{Tag: m.image.Version, Os: "linux", Arch: runtime.GOARCH, GoVersion: runtime.Version()},
		Platform: &machine.PlatformInfo{Name: m.machine.platform(), Mode: mode},
	}
	if !m.inMaintenance() {
		answer.Features = &machine.FeaturesInfo{Rbac: true}
	}
	return &machine.VersionResponse{Messages: []*machine.Version{answer}}, nil
}

// Hostname returns the machine's name.
func (m *machined) Hostname(context.Context, *emptypb.Empty) (*machine.HostnameResponse, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &machine.HostnameResponse{Messages: []*machine.Hostname{{Hostname: m.hostname}}}, nil
}

// Kubeconfig returns a new administrator's kubeconfig in a compressed archive, the form in which Talos sends files.
func (m *machined) Kubeconfig(_ *emptypb.Empty, stream grpc.ServerStreamingServer[common.Data]) error {
	if err := m.onControlPlane("kubeconfig"); err != nil {
		return err
	}
	content, err := controlplane.AdminKubeconfig(m.config().Cluster())
	if err != nil {
		return err
	}
	var out bytes.Buffer
	compressed := gzip.NewWriter(&out)
	archive := tar.NewWriter(compressed)
	err = archive.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Name: "kubeconfig", Size: int64(len(content)), ModTime: time.Now(), Mode: 0o600,
	})
	if err == nil {
		_, err = archive.Write(content)
	}
	if err == nil {
		err = archive.Close()
	}
	if err == nil {
		err = compressed.Close()
	}
	if err != nil {
		return err
	}
	return stream.Send(&common.Data{Bytes: out.Bytes()})
}

// GenerateClientConfiguration creates a talosconfig with the requested roles.
func (m *machined) GenerateClientConfiguration(_ context.Context, in *machine.GenerateClientConfigurationRequest) (*machine.GenerateClientConfigurationResponse, error) {
	if err := m.onControlPlane("client configuration"); err != nil {
		return nil, err
	}
	cfg, lifetime := m.config(), in.CrtTtl.AsDuration()
	if lifetime <= 0 {
		return nil, status.Error(codes.InvalidArgument, "crt_ttl should be positive")
	}
	roles, unknown := role.Parse(in.Roles)
	if len(unknown) > 0 {
		return nil, status.Errorf(codes.InvalidArgument, "unknown roles %v", unknown)
	}
	ca, err := x509.NewCertificateAuthorityFromCertificateAndKey(cfg.Machine().Security().IssuingCA())
	if err != nil {
		return nil, err
	}
	pair, err := clientCertificate(ca, "", lifetime, roles)
	if err != nil {
		return nil, err
	}
	trusted, _ := acceptedCAs(cfg)
	authorities := bytes.Join(trusted, nil)
	talosconfig, err := clientconfig.NewConfig(cfg.Cluster().Name(), []string{m.machine.address.String()}, authorities,
		x509.NewCertificateAndKeyFromKeyPair(pair)).Bytes()
	if err != nil {
		return nil, err
	}
	return &machine.GenerateClientConfigurationResponse{Messages: []*machine.GenerateClientConfiguration{
		{Ca: authorities, Crt: pair.CrtPEM, Key: pair.KeyPEM, Talosconfig: talosconfig},
	}}, nil
}

// Events streams past and future events of the machine.
func (m *machined) Events(in *machine.EventsRequest, stream grpc.ServerStreamingServer[machine.Event]) error {
	past, next, stop := m.events.watch(in)
	defer stop()
	// An empty event tells the client that the stream has started.
	if err := stream.Send(newEvent(in.WithActorId, nil)); err != nil {
		return err
	}
	for _, event := range past {
		if err := stream.Send(event); err != nil {
			return err
		}
	}
	for {
		select {
		case <-stream.Context().Done():
			return stream.Context().Err()
		case <-m.ctx.Done():
			return nil
		case event := <-next:
			if !wanted(event, in) {
				continue
			}
			if err := stream.Send(event); err != nil {
				return err
			}
		}
	}
}
