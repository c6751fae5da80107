package talos

import (
	"fmt"
	"sync"

	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// lifecycleService writes an image to the other boot slot without a drain or a reboot, which are separate calls since Talos
// 1.13. Source: siderolabs/talos v1.13.9, internal/app/lifecycle/lifecycle.go and container.go.
type lifecycleService struct {
	machine.UnimplementedLifecycleServiceServer
	*boot
	lock sync.Mutex
}

// Install is refused on a machine with Talos. Hearth's machines install by their configuration.
func (s *lifecycleService) Install(in *machine.LifecycleServiceInstallRequest, _ grpc.ServerStreamingServer[machine.LifecycleServiceInstallResponse]) error {
	if s.machine.kept().Installed {
		return status.Error(codes.AlreadyExists, "machine is already installed")
	}
	return status.Error(codes.Unimplemented, "the lab's machines install Talos by their configuration")
}

// Upgrade runs the installer of an image that was pulled, and streams its output and its exit code.
func (s *lifecycleService) Upgrade(in *machine.LifecycleServiceUpgradeRequest, stream grpc.ServerStreamingServer[machine.LifecycleServiceUpgradeResponse]) error {
	if !s.lock.TryLock() {
		return status.Error(codes.FailedPrecondition, "another installation/upgrade is already in progress")
	}
	defer s.lock.Unlock()
	if !s.machine.kept().Installed {
		return status.Error(codes.FailedPrecondition, "machine is not installed")
	}
	image := in.GetSource().GetImageName()
	if image == "" {
		return status.Error(codes.InvalidArgument, "installer image name is required")
	}
	image, err := s.pulled(in, image)
	if err != nil {
		return status.Error(codes.Internal, fmt.Sprintf("upgrade failed: %v", err))
	}
	send := func(progress *machine.LifecycleServiceInstallProgress) error {
		return stream.Send(&machine.LifecycleServiceUpgradeResponse{Progress: progress})
	}
	var unsent error
	printf := func(format string, args ...any) {
		line := fmt.Sprintf(format, args...)
		s.machine.log.Print(line)
		if unsent == nil {
			unsent = send(&machine.LifecycleServiceInstallProgress{
				Response: &machine.LifecycleServiceInstallProgress_Message{Message: line + "\n"},
			})
		}
	}
	if !sleep(stream.Context(), installTime) {
		return stream.Context().Err()
	}
	code := int32(0)
	if err := s.machine.runInstaller(image, s.image.Version, printf); err != nil {
		code = 1
	}
	s.machine.log.Printf("upgrade ended: exit_code=%d", code)
	return send(&machine.LifecycleServiceInstallProgress{Response: &machine.LifecycleServiceInstallProgress_ExitCode{ExitCode: code}})
}

// pulled returns the image by the name that it was pulled by. It refuses one that is not in the namespace of the request.
func (s *lifecycleService) pulled(in *machine.LifecycleServiceUpgradeRequest, image string) (string, error) {
	namespace, err := containerdNamespace(in.GetContainerd())
	if err != nil {
		return "", err
	}
	all, err := s.imagesIn(namespace)
	if err != nil {
		return "", err
	}
	for _, each := range all {
		if each.Name == image || pinned(each.Name) == image {
			return each.Name, nil
		}
	}
	return "", fmt.Errorf("installer image %q not found in containerd store: image %q: not found", image, image)
}
