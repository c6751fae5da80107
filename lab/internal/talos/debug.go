package talos

import (
	"fmt"
	"slices"

	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// debugService runs a container for debugging. Source: siderolabs/talos v1.13.9, internal/app/debug/debug.go.
type debugService struct {
	machine.UnimplementedDebugServiceServer
	*boot
}

// ContainerRun refuses what Talos refuses. The images of the lab have no content, so a container of one ends where containerd
// looks for its program. Source of the words: opencontainers/runc v1.3, libcontainer; containerd v2, core/runtime/v2.
func (s *debugService) ContainerRun(stream grpc.BidiStreamingServer[machine.DebugContainerRunRequest, machine.DebugContainerRunResponse]) error {
	request, err := stream.Recv()
	if err != nil {
		return status.Errorf(codes.InvalidArgument, "failed to receive spec: %v", err)
	}
	spec := request.GetSpec()
	if spec == nil {
		return status.Errorf(codes.InvalidArgument, "expected debug container spec")
	}
	if spec.GetProfile() != machine.DebugContainerRunRequestSpec_PROFILE_PRIVILEGED {
		return status.Errorf(codes.InvalidArgument, "unsupported debug container profile: %s", spec.GetProfile())
	}
	namespace, err := containerdNamespace(spec.GetContainerd())
	if err != nil {
		return err
	}
	all, err := s.imagesIn(namespace)
	if err != nil {
		return err
	}
	isThere := func(each containerImage) bool {
		return each.Name == spec.ImageName || pinned(each.Name) == spec.ImageName
	}
	if !slices.ContainsFunc(all, isThere) {
		return status.Errorf(codes.NotFound, "image %s not found: image %q: not found", spec.ImageName, spec.ImageName)
	}
	if len(spec.Args) == 0 {
		return fmt.Errorf("failed to create container: no command specified")
	}
	return fmt.Errorf("failed to create task: failed to create shim task: OCI runtime create failed: runc create failed: "+
		"unable to start container process: error during container init: exec: %q: executable file not found in $PATH", spec.Args[0])
}
