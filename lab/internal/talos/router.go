package talos

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/siderolabs/grpc-proxy/proxy"
	"github.com/siderolabs/talos/pkg/machinery/api/common"
	"github.com/siderolabs/talos/pkg/machinery/constants"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// router decides where a call goes. The metadata "node" names one machine, "nodes" several, whose answers are combined.
// Without either, this machine answers.
type router struct {
	local proxy.Backend
	// localOnly is set in maintenance mode, where there are no other machines.
	localOnly bool
	// client and accepted are for calls to other machines. Workers have no client certificate and forward nothing.
	client   *tls.Certificate
	accepted *x509.CertPool

	mu      sync.Mutex
	remotes map[string]*remote
}

// streamed reports whether a method's answer is a stream.
func streamed(method string) bool {
	return slices.Contains([]string{
		"/machine.MachineService/Copy", "/machine.MachineService/DiskUsage", "/machine.MachineService/Dmesg",
		"/machine.MachineService/EtcdSnapshot", "/machine.MachineService/Events", "/machine.MachineService/ImageList",
		"/machine.MachineService/Kubeconfig", "/machine.MachineService/List", "/machine.MachineService/Logs",
		"/machine.MachineService/PacketCapture", "/machine.MachineService/Read", "/cluster.ClusterService/HealthCheck",
		"/machine.LifecycleService/Install", "/machine.LifecycleService/Upgrade", "/machine.ImageService/List",
		"/machine.ImageService/Pull",
	}, method) || strings.HasSuffix(method, "Stream")
}

// toMany lists the services whose answers can be combined.
var toMany = []string{
	"/machine.MachineService/", "/cluster.ClusterService/", "/inspect.InspectService/", "/storage.StorageService/", "/time.TimeService/",
}

func (r *router) direct(ctx context.Context, method string) (proxy.Mode, []proxy.Backend, error) {
	here := []proxy.Backend{r.local}
	values, ok := metadata.FromIncomingContext(ctx)
	if r.localOnly || !ok || len(values["proxyfrom"]) > 0 {
		return proxy.One2One, here, nil
	}
	nodes, node := values["nodes"], values["node"]
	switch {
	case len(node) > 1:
		return proxy.One2One, nil, status.Error(codes.InvalidArgument, "node metadata must be single-valued")
	case len(nodes) == 0 && len(node) == 0:
		return proxy.One2One, here, nil
	case r.client == nil:
		return r.withoutForwarding(nodes, node)
	case len(nodes) > 0:
		if !slices.ContainsFunc(toMany, func(service string) bool { return strings.HasPrefix(method, service) }) {
			return proxy.One2One, nil, status.Errorf(codes.InvalidArgument, "one-2-many proxying is not supported for method %s", method)
		}
		backends := []proxy.Backend{}
		for _, target := range nodes {
			backend, err := r.remote(target)
			if err != nil {
				return proxy.One2Many, nil, err
			}
			backends = append(backends, backend)
		}
		return proxy.One2Many, backends, nil
	}
	backend, err := r.remote(node[0])
	return proxy.One2One, []proxy.Backend{backend}, err
}

// withoutForwarding is a worker's routing: it answers for itself and refuses to forward a call.
func (r *router) withoutForwarding(nodes, node []string) (proxy.Mode, []proxy.Backend, error) {
	if targets := slices.Concat(nodes, node); len(targets) == 1 && r.local.(*local).is(targets[0]) {
		return proxy.One2One, []proxy.Backend{r.local}, nil
	}
	return proxy.One2One, nil, status.Error(codes.PermissionDenied, "no request forwarding")
}

func (r *router) remote(target string) (*remote, error) {
	if _, _, err := net.SplitHostPort(target); target == "" || err == nil {
		return nil, status.Errorf(codes.Internal, "invalid target %q", target)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.remotes[target]; known != nil {
		return known, nil
	}
	connection, err := grpc.NewClient(
		"passthrough:///"+net.JoinHostPort(target, strconv.Itoa(constants.ApidPort)),
		grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{
			Certificates: []tls.Certificate{*r.client}, RootCAs: r.accepted, MinVersion: tls.VersionTLS13,
		})),
		grpc.WithNoProxy(), grpc.WithIdleTimeout(5*time.Minute),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{
			BaseDelay: 200 * time.Millisecond, Multiplier: 1.5, Jitter: 0.2, MaxDelay: 3 * time.Second,
		}, MinConnectTimeout: 5 * time.Second}),
		grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(constants.GRPCMaxMessageSize), grpc.ForceCodecV2(proxy.Codec()),
		),
	)
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	r.remotes[target] = &remote{target: target, connection: connection}
	return r.remotes[target], nil
}

func (r *router) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, each := range r.remotes {
		each.connection.Close()
	}
}

// outgoing returns the call's metadata with the caller's roles.
func outgoing(ctx context.Context) metadata.MD {
	values, _ := metadata.FromIncomingContext(ctx)
	values = values.Copy()
	values.Set(constants.APIAuthzRoleMetadataKey, rolesOf(ctx).Strings()...)
	return values
}

// local is this machine's machined.
type local struct {
	connection *grpc.ClientConn
	// is reports whether a target means this machine.
	is func(target string) bool
}

// dialLocal connects to machined, which listens only in this process.
func dialLocal(dial func(context.Context) (net.Conn, error), is func(string) bool) (*local, error) {
	connection, err := grpc.NewClient("passthrough:///machined",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return dial(ctx) }),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithNoProxy(),
		grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(constants.GRPCMaxMessageSize), grpc.ForceCodecV2(proxy.Codec()),
		),
	)
	return &local{connection, is}, err
}

func (l *local) String() string { return "machined" }

func (l *local) GetConnection(ctx context.Context, _ string) (context.Context, *grpc.ClientConn, error) {
	return metadata.NewOutgoingContext(ctx, outgoing(ctx)), l.connection, nil
}

func (l *local) AppendInfo(_ bool, answer []byte) ([]byte, error) { return answer, nil }

func (l *local) BuildError(bool, error) ([]byte, error) { return nil, nil }

// remote is the apid of a machine, possibly this one.
type remote struct {
	target     string
	connection *grpc.ClientConn
}

func (r *remote) String() string { return r.target }

func (r *remote) GetConnection(ctx context.Context, _ string) (context.Context, *grpc.ClientConn, error) {
	values := outgoing(ctx)
	from := values[":authority"]
	if len(from) == 0 {
		from = []string{"unknown"}
	}
	values.Set("proxyfrom", from...)
	for _, name := range []string{":authority", "nodes", "node"} {
		delete(values, name)
	}
	return metadata.NewOutgoingContext(ctx, values), r.connection, nil
}

// AppendInfo adds the machine's name to its answer. Every answer of the API is a list `messages` of entries whose first
// field is that metadata. In protobuf, repeating a field at the end adds to it.
func (r *remote) AppendInfo(stream bool, answer []byte) ([]byte, error) {
	info, err := proto.Marshal(&common.Empty{Metadata: &common.Metadata{Hostname: r.target}})
	if err != nil || stream {
		return append(answer, info...), err
	}
	number, kind, n := protowire.ConsumeTag(answer)
	if n < 0 {
		return nil, protowire.ParseError(n)
	}
	if number != 1 || kind != protowire.BytesType {
		return nil, fmt.Errorf("an answer of %s starts with field %d of type %d", r.target, number, kind)
	}
	entry, m := protowire.ConsumeBytes(answer[n:])
	if m < 0 {
		return nil, protowire.ParseError(m)
	}
	out := protowire.AppendTag(nil, 1, protowire.BytesType)
	out = protowire.AppendBytes(out, slices.Concat(entry, info))
	return append(out, answer[n+m:]...), nil
}

// BuildError returns the answer for a machine that failed, when several were asked.
func (r *remote) BuildError(stream bool, failure error) ([]byte, error) {
	message := &common.Empty{Metadata: &common.Metadata{
		Hostname: r.target, Error: failure.Error(), Status: status.Convert(failure).Proto(),
	}}
	if stream {
		return proto.Marshal(message)
	}
	return proto.Marshal(&common.EmptyResponse{Messages: []*common.Empty{message}})
}
