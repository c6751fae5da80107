package talos

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/siderolabs/crypto/x509"
	"github.com/siderolabs/talos/pkg/machinery/api/cluster"
	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"github.com/siderolabs/talos/pkg/machinery/client"
	"github.com/siderolabs/talos/pkg/machinery/constants"
	"google.golang.org/grpc"
	"k8s.io/client-go/kubernetes"
)

const healthPause = 2 * time.Second

// health is one run of the checks of `talosctl health`.
type health struct {
	talos         *client.Client
	kubernetes    kubernetes.Interface
	controlPlanes []string
	workers       []string
}

// check is a condition to wait for.
type check struct {
	what string
	met  func(context.Context, *health) error
}

// errSkip means that there is nothing to check.
var errSkip = errors.New("nothing to check")

// HealthCheck waits until all checks of the cluster pass, and reports what it is waiting for.
func (m *machined) HealthCheck(in *cluster.HealthCheckRequest, stream grpc.ServerStreamingServer[cluster.HealthCheckProgress]) error {
	if err := m.onControlPlane("cluster health check"); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(stream.Context(), in.WaitTimeout.AsDuration())
	defer cancel()
	h, err := m.newHealth(ctx, in)
	if err != nil {
		return err
	}
	defer h.talos.Close() //nolint:errcheck // the checks are done
	say := func(message string) error { return stream.Send(&cluster.HealthCheckProgress{Message: message}) }
	if err := say(fmt.Sprintf("discovered nodes: %q", h.nodes())); err != nil {
		return err
	}
	for _, each := range slices.Concat(talosChecks, kubernetesChecks) {
		if err := h.wait(ctx, each, say); err != nil {
			return err
		}
	}
	return nil
}

func (h *health) nodes() []string { return slices.Concat(h.controlPlanes, h.workers) }

func (h *health) wait(ctx context.Context, this check, say func(string) error) error {
	last := ""
	for {
		attempt, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := this.met(attempt, h)
		cancel()
		line := fmt.Sprintf("waiting for %s: OK", this.what)
		switch {
		case errors.Is(err, errSkip):
			line = fmt.Sprintf("waiting for %s: SKIP", this.what)
		case err != nil:
			line = fmt.Sprintf("waiting for %s: %v", this.what, err)
		}
		if line != last {
			if err := say(line); err != nil {
				return err
			}
			last = line
		}
		if err == nil || errors.Is(err, errSkip) {
			return nil
		}
		if !sleep(ctx, healthPause) {
			return fmt.Errorf("%s: %w", this.what, err)
		}
	}
}

// newHealth connects to Kubernetes, and to this machine's own API with the caller's roles.
func (m *machined) newHealth(ctx context.Context, in *cluster.HealthCheckRequest) (*health, error) {
	cfg := m.config()
	ca, err := x509.NewCertificateAuthorityFromCertificateAndKey(cfg.Machine().Security().IssuingCA())
	if err != nil {
		return nil, err
	}
	pair, err := clientCertificate(ca, "", time.Hour, rolesOf(ctx))
	if err != nil {
		return nil, err
	}
	_, accepted := acceptedCAs(cfg)
	talos, err := client.New(ctx,
		client.WithTLSConfig(&tls.Config{Certificates: []tls.Certificate{*pair.Certificate}, RootCAs: accepted}),
		client.WithEndpoints(net.JoinHostPort(m.machine.address.String(), strconv.Itoa(constants.ApidPort))),
		client.WithGRPCDialOptions(grpc.WithNoProxy()),
	)
	if err != nil {
		return nil, err
	}
	h := &health{talos: talos, controlPlanes: in.GetClusterInfo().GetControlPlaneNodes(), workers: in.GetClusterInfo().GetWorkerNodes()}
	if len(h.nodes()) == 0 {
		m.discover(h)
	}
	m.mu.Lock()
	plane := m.plane
	m.mu.Unlock()
	if plane == nil {
		return nil, errors.New("the control plane is not running")
	}
	admin, err := plane.AdminConfig()
	if err != nil {
		return nil, err
	}
	h.kubernetes, err = kubernetes.NewForConfig(admin)
	return h, err
}

func (m *machined) discover(h *health) {
	m.mu.Lock()
	members := m.members
	m.mu.Unlock()
	for _, each := range members.members() {
		if each.MachineType.IsControlPlane() {
			h.controlPlanes = append(h.controlPlanes, each.Address.String())
		} else {
			h.workers = append(h.workers, each.Address.String())
		}
	}
	slices.Sort(h.controlPlanes)
	slices.Sort(h.workers)
}

var talosChecks = []check{
	{"etcd to be healthy", func(ctx context.Context, h *health) error { return h.service(ctx, "etcd", h.controlPlanes) }},
	{"etcd members to be consistent across nodes", func(ctx context.Context, h *health) error { return h.etcdConsistent(ctx) }},
	{"etcd members to be control plane nodes", func(ctx context.Context, h *health) error { return h.etcdOnControlPlanes(ctx) }},
	{"apid to be ready", func(ctx context.Context, h *health) error {
		_, err := h.talos.Version(client.WithNodes(ctx, h.nodes()...))
		return err
	}},
	{"kubelet to be healthy", func(ctx context.Context, h *health) error { return h.service(ctx, "kubelet", h.nodes()) }},
	{"all nodes to finish boot sequence", func(ctx context.Context, h *health) error { return h.booted(ctx) }},
}

// service passes if a service runs and is healthy on all of the given nodes.
func (h *health) service(ctx context.Context, id string, nodes []string) error {
	infos, err := h.talos.ServiceInfo(client.WithNodes(ctx, nodes...), id)
	if err != nil {
		return err
	}
	if len(infos) != len(nodes) {
		return fmt.Errorf("expected a response with %d node(s), got %d", len(nodes), len(infos))
	}
	for _, info := range infos {
		if info.Service.State != stateRunning {
			return fmt.Errorf("%s: service %q is %s", info.Metadata.GetHostname(), id, info.Service.State)
		}
		if !info.Service.GetHealth().GetHealthy() {
			return fmt.Errorf("%s: service is not healthy: %s", info.Metadata.GetHostname(), id)
		}
	}
	return nil
}

func (h *health) booted(ctx context.Context) error {
	for _, node := range h.nodes() {
		stage, err := h.stage(ctx, node)
		if err != nil {
			return err
		}
		if stage != "running" {
			return fmt.Errorf("node %s is %s", node, stage)
		}
	}
	return nil
}

func (h *health) members(ctx context.Context) ([]*machine.EtcdMembers, error) {
	answer, err := h.talos.EtcdMemberList(client.WithNodes(ctx, h.controlPlanes...), &machine.EtcdMemberListRequest{})
	if err != nil {
		return nil, err
	}
	if len(answer.Messages) != len(h.controlPlanes) {
		return nil, fmt.Errorf("%d of %d control planes listed etcd members", len(answer.Messages), len(h.controlPlanes))
	}
	return answer.Messages, nil
}

// etcdConsistent passes if all control planes know the same members.
func (h *health) etcdConsistent(ctx context.Context) error {
	lists, err := h.members(ctx)
	if err != nil {
		return err
	}
	describe := func(list *machine.EtcdMembers) []string {
		names := []string{}
		for _, each := range list.Members {
			names = append(names, fmt.Sprintf("%s/%016x/%t", each.Hostname, each.Id, each.IsLearner))
		}
		slices.Sort(names)
		return names
	}
	for _, list := range lists[1:] {
		if first, this := describe(lists[0]), describe(list); !slices.Equal(first, this) {
			return fmt.Errorf("%s: expected members %v, got %v", list.Metadata.GetHostname(), first, this)
		}
	}
	return nil
}

// etcdOnControlPlanes passes if all members are on control planes.
func (h *health) etcdOnControlPlanes(ctx context.Context) error {
	lists, err := h.members(ctx)
	if err != nil {
		return err
	}
	for _, member := range lists[0].Members {
		for _, peer := range member.PeerUrls {
			parsed, err := url.Parse(peer)
			if err != nil {
				return err
			}
			if _, err := netip.ParseAddr(parsed.Hostname()); err != nil || !slices.Contains(h.controlPlanes, parsed.Hostname()) {
				return fmt.Errorf("etcd member %s is not among the control planes %q", parsed.Hostname(), h.controlPlanes)
			}
		}
	}
	return nil
}
