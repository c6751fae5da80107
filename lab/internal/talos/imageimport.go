package talos

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"io"

	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Import takes an image from an archive, for `talosctl debug`. Source: siderolabs/talos v1.13.9, internal/app/images/images.go.
func (s *imageService) Import(stream grpc.ClientStreamingServer[machine.ImageServiceImportRequest, machine.ImageServiceImportResponse]) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	if first.GetContainerd() == nil {
		return status.Errorf(codes.InvalidArgument, "containerd instance is required")
	}
	namespace, err := containerdNamespace(first.GetContainerd())
	if err != nil {
		return err
	}
	reader, writer := io.Pipe()
	defer reader.Close()
	go func() { writer.CloseWithError(receiveChunks(stream, writer)) }()
	name, err := imageIn(reader)
	if err != nil {
		return status.Errorf(codes.Internal, "failed to import image: %v", err)
	}
	if name == "" {
		return status.Errorf(codes.InvalidArgument, "no images imported from archive")
	}
	s.keepImage(namespace, name)
	return stream.SendAndClose(&machine.ImageServiceImportResponse{Name: name})
}

func receiveChunks(stream grpc.ClientStreamingServer[machine.ImageServiceImportRequest, machine.ImageServiceImportResponse], to io.Writer) error {
	for {
		request, err := stream.Recv()
		if err != nil {
			return err
		}
		chunk := request.GetImageChunk()
		if chunk == nil {
			return errors.New("no image chunk")
		}
		if _, err := to.Write(chunk.GetBytes()); err != nil {
			return err
		}
	}
}

// imageIn returns the name of an archive's first image: Docker's manifest.json or the OCI layout's index.json has it.
func imageIn(content io.Reader) (string, error) {
	name := ""
	for archive := tar.NewReader(content); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return name, nil
		}
		if err != nil {
			return "", err
		}
		switch header.Name {
		case "manifest.json":
			var images []struct{ RepoTags []string }
			if err := json.NewDecoder(archive).Decode(&images); err != nil {
				return "", err
			}
			if len(images) > 0 && len(images[0].RepoTags) > 0 {
				name = images[0].RepoTags[0]
			}
		case "index.json":
			var index struct {
				Manifests []struct{ Annotations map[string]string }
			}
			if err := json.NewDecoder(archive).Decode(&index); err != nil {
				return "", err
			}
			if len(index.Manifests) > 0 && name == "" {
				name = index.Manifests[0].Annotations["io.containerd.image.name"]
			}
		}
	}
}
