package talos

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"github.com/siderolabs/talos/pkg/machinery/api/common"
	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"hearth.dev/lab/internal/factory"
)

// imageService lists, pulls and removes images. Source: siderolabs/talos v1.13.9, internal/app/images/images.go.
type imageService struct {
	machine.UnimplementedImageServiceServer
	*boot
}

// containerdNamespace returns the namespace that a request means. Source: siderolabs/talos v1.13.9,
// internal/app/internal/ctrhelper/ctrhelper.go.
func containerdNamespace(in *common.ContainerdInstance) (string, error) {
	driver, namespace := in.GetDriver(), in.GetNamespace()
	if driver != common.ContainerDriver_CONTAINERD && driver != common.ContainerDriver_CRI {
		return "", status.Errorf(codes.InvalidArgument, "invalid containerd driver %s", driver)
	}
	if namespace != common.ContainerdNamespace_NS_CRI && namespace != common.ContainerdNamespace_NS_SYSTEM {
		return "", status.Errorf(codes.InvalidArgument, "invalid containerd namespace %s", namespace)
	}
	switch {
	case driver == common.ContainerDriver_CRI && namespace == common.ContainerdNamespace_NS_CRI:
		return podImages, nil
	case driver == common.ContainerDriver_CRI:
		return systemImages, nil
	case namespace == common.ContainerdNamespace_NS_CRI:
		return "", status.Errorf(codes.InvalidArgument, "cannot use CRI namespace with containerd driver")
	}
	return memoryImages, nil
}

// List lists the images of a namespace.
func (s *imageService) List(in *machine.ImageServiceListRequest, stream grpc.ServerStreamingServer[machine.ImageServiceListResponse]) error {
	namespace, err := containerdNamespace(in.GetContainerd())
	if err != nil {
		return err
	}
	all, err := s.imagesIn(namespace)
	if err != nil {
		return err
	}
	for _, each := range all {
		err := stream.Send(&machine.ImageServiceListResponse{
			Name: each.Name, Digest: each.digest(), Size: each.size(), CreatedAt: timestamppb.New(each.Created),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Pull pulls an image and returns its name with its digest.
func (s *imageService) Pull(in *machine.ImageServicePullRequest, stream grpc.ServerStreamingServer[machine.ImageServicePullResponse]) error {
	namespace, err := containerdNamespace(in.GetContainerd())
	if err != nil {
		return err
	}
	if err := s.pullImage(namespace, in.ImageRef); err != nil {
		return err
	}
	layer := &machine.ImageServicePullProgress{
		LayerId:  fmt.Sprintf("sha256:%x", sha256.Sum256([]byte("layer of "+in.ImageRef))),
		Progress: &machine.ImageServicePullLayerProgress{Status: machine.ImageServicePullLayerProgress_EXTRACT_COMPLETE},
	}
	err = stream.Send(&machine.ImageServicePullResponse{Response: &machine.ImageServicePullResponse_PullProgress{PullProgress: layer}})
	if err != nil {
		return err
	}
	return stream.Send(&machine.ImageServicePullResponse{Response: &machine.ImageServicePullResponse_Name{Name: pinned(in.ImageRef)}})
}

func (b *boot) pullImage(namespace, reference string) error {
	err := b.machine.registryHas(reference)
	if errors.Is(err, factory.ErrNotFound) {
		return status.Errorf(codes.NotFound, "error pulling image: %s", err)
	}
	if err == nil {
		b.keepImage(namespace, reference)
	}
	return err
}

// ImagePull is the older form of Pull. Source: siderolabs/talos v1.13.9, internal/app/machined/internal/server/v1alpha1,
// v1alpha1_images.go.
func (m *machined) ImagePull(_ context.Context, in *machine.ImagePullRequest) (*machine.ImagePullResponse, error) {
	namespace, err := olderNamespace(in.Namespace)
	if err != nil {
		return nil, err
	}
	if err := m.pullImage(namespace, in.Reference); err != nil {
		return nil, err
	}
	return &machine.ImagePullResponse{Messages: []*machine.ImagePull{{}}}, nil
}

// ImageList is the older form of List.
func (m *machined) ImageList(in *machine.ImageListRequest, stream grpc.ServerStreamingServer[machine.ImageListResponse]) error {
	namespace, err := olderNamespace(in.Namespace)
	if err != nil {
		return err
	}
	all, err := m.imagesIn(namespace)
	if err != nil {
		return err
	}
	for _, each := range all {
		err := stream.Send(&machine.ImageListResponse{
			Name: each.Name, Digest: each.digest(), Size: each.size(), CreatedAt: timestamppb.New(each.Created),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func olderNamespace(namespace common.ContainerdNamespace) (string, error) {
	switch namespace {
	case common.ContainerdNamespace_NS_CRI:
		return podImages, nil
	case common.ContainerdNamespace_NS_SYSTEM:
		return systemImages, nil
	}
	return "", status.Errorf(codes.InvalidArgument, "invalid namespace %s", namespace)
}

// pinned is a reference with its digest in place of its tag.
func pinned(reference string) string {
	if strings.Contains(reference, "@") {
		return reference
	}
	name := reference
	if at := strings.LastIndex(name, ":"); at > strings.LastIndex(name, "/") {
		name = name[:at]
	}
	return name + "@" + containerImage{Name: reference}.digest()
}

// Remove removes an image.
func (s *imageService) Remove(_ context.Context, in *machine.ImageServiceRemoveRequest) (*emptypb.Empty, error) {
	namespace, err := containerdNamespace(in.GetContainerd())
	if err != nil {
		return nil, err
	}
	had, err := s.dropImage(namespace, in.ImageRef)
	if err != nil {
		return nil, status.Errorf(codes.Internal, "failed to remove image %s: %v", in.ImageRef, err)
	}
	if !had {
		return nil, status.Errorf(codes.NotFound, "image %s not found", in.ImageRef)
	}
	return &emptypb.Empty{}, nil
}
