package talos

import (
	"context"
	"net"
	"net/netip"
	"slices"

	cosi "github.com/cosi-project/runtime/api/v1alpha1"
	"github.com/cosi-project/runtime/pkg/state"
	cosiserver "github.com/cosi-project/runtime/pkg/state/protobuf/server"
	"github.com/siderolabs/talos/pkg/machinery/api/cluster"
	"github.com/siderolabs/talos/pkg/machinery/api/inspect"
	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"github.com/siderolabs/talos/pkg/machinery/api/storage"
	timeapi "github.com/siderolabs/talos/pkg/machinery/api/time"
	"github.com/siderolabs/talos/pkg/machinery/constants"
	"github.com/siderolabs/talos/pkg/machinery/role"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
)

// machined serves the calls of this machine's API. Calls that the lab does not simulate are Unimplemented.
type machined struct {
	machine.UnimplementedMachineServiceServer
	cluster.UnimplementedClusterServiceServer
	*boot
}

// startMachined serves inside this process, only for apid.
func (b *boot) startMachined() error {
	listener := bufconn.Listen(1 << 20)
	roles := func(ctx context.Context) role.Set {
		claimed, _ := rolesFromMetadata(ctx)
		return claimed
	}
	options := slices.Concat(withRoles(roles), authorized(), []grpc.ServerOption{
		grpc.MaxRecvMsgSize(constants.GRPCMaxMessageSize),
	})
	b.machined = grpc.NewServer(options...)
	m := &machined{boot: b}
	machine.RegisterMachineServiceServer(b.machined, m)
	machine.RegisterLifecycleServiceServer(b.machined, &lifecycleService{boot: b})
	machine.RegisterImageServiceServer(b.machined, &imageService{boot: b})
	machine.RegisterDebugServiceServer(b.machined, &debugService{boot: b})
	inspect.RegisterInspectServiceServer(b.machined, inspectService{})
	cluster.RegisterClusterServiceServer(b.machined, m)
	timeapi.RegisterTimeServiceServer(b.machined, &timeService{boot: b})
	storage.RegisterStorageServiceServer(b.machined, &storaged{boot: b})
	cosi.RegisterStateServer(b.machined, cosiserver.NewState(state.WrapCore(readable(b.state))))
	go b.machined.Serve(listener) //nolint:errcheck // it ends with Stop
	var err error
	b.local, err = dialLocal(func(ctx context.Context) (net.Conn, error) { return listener.DialContext(ctx) }, b.isThis)
	return err
}

// isThis reports whether a call's target is this machine.
func (b *boot) isThis(target string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	address, err := netip.ParseAddr(target)
	return err == nil && address == b.machine.address || target == b.hostname
}

// onControlPlane refuses a call that only control planes serve.
func (b *boot) onControlPlane(api string) error {
	cfg := b.config()
	if cfg == nil {
		return status.Errorf(codes.Unimplemented, "machine type is not set, cannot use %s API", api)
	}
	if !cfg.Machine().Type().IsControlPlane() {
		return status.Errorf(codes.Unimplemented, "%s is only available on control plane nodes", api)
	}
	return nil
}
