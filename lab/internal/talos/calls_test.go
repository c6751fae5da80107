package talos

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siderolabs/talos/pkg/machinery/api/cluster"
	"github.com/siderolabs/talos/pkg/machinery/api/inspect"
	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"github.com/siderolabs/talos/pkg/machinery/api/storage"
	timeapi "github.com/siderolabs/talos/pkg/machinery/api/time"
	"github.com/siderolabs/talos/pkg/machinery/constants"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Every call of the API is answered or refused, and none is missing. Calls that no command of talosctl 1.13 makes by itself may be.
func TestNoCallIsMissing(t *testing.T) {
	m := booted(t)
	if err := m.startMachined(); err != nil {
		t.Fatal(err)
	}
	defer m.boot.machined.Stop()
	// containerd asks it about signatures, and no command of talosctl does.
	left := []string{"/machine.ImageService/Verify"}
	calls := 0
	for _, service := range []grpc.ServiceDesc{
		machine.MachineService_ServiceDesc, machine.ImageService_ServiceDesc, machine.LifecycleService_ServiceDesc, machine.DebugService_ServiceDesc,
		inspect.InspectService_ServiceDesc, cluster.ClusterService_ServiceDesc, storage.StorageService_ServiceDesc, timeapi.TimeService_ServiceDesc,
	} {
		for _, method := range service.Methods {
			name := "/" + service.ServiceName + "/" + method.MethodName
			err := m.call(t, name, nil)
			calls++
			if missing(err) != slices.Contains(left, name) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, stream := range service.Streams {
			name := "/" + service.ServiceName + "/" + stream.StreamName
			err := m.call(t, name, &stream)
			calls++
			if missing(err) != slices.Contains(left, name) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if calls < 65 {
		t.Errorf("only %d calls", calls)
	}
}

// missing is whether an error is that of a call which nobody serves, in gRPC's words.
func missing(err error) bool {
	said := status.Convert(err).Message()
	return strings.HasPrefix(said, "method ") && strings.HasSuffix(said, " not implemented") || strings.HasPrefix(said, "unknown service ")
}

// call makes a call with an empty request, as an administrator.
func (m *machined) call(t *testing.T, name string, stream *grpc.StreamDesc) error {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx, constants.APIAuthzRoleMetadataKey, "os:admin")
	if stream == nil {
		return m.local.connection.Invoke(ctx, name, &emptypb.Empty{}, &emptypb.Empty{})
	}
	opened, err := m.local.connection.NewStream(ctx, stream, name)
	if err != nil {
		return err
	}
	_ = opened.SendMsg(&emptypb.Empty{})
	_ = opened.CloseSend()
	return opened.RecvMsg(&emptypb.Empty{})
}
