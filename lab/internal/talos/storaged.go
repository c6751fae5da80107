package talos

import (
	"context"
	"path/filepath"

	"github.com/cosi-project/runtime/pkg/safe"
	"github.com/siderolabs/talos/pkg/machinery/api/storage"
	"github.com/siderolabs/talos/pkg/machinery/resources/block"
	"github.com/siderolabs/talos/pkg/machinery/role"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// storaged lists the machine's disks for clients that are older than the Disk resource.
type storaged struct {
	storage.UnimplementedStorageServiceServer
	*boot
}

// Disks lists the block devices.
func (s *storaged) Disks(ctx context.Context, _ *emptypb.Empty) (*storage.DisksResponse, error) {
	disks, err := safe.StateListAll[*block.Disk](ctx, s.state)
	if err != nil {
		return nil, err
	}
	answer := &storage.Disks{}
	for disk := range disks.All() {
		spec := disk.TypedSpec()
		kind := storage.Disk_SSD
		if spec.Transport == "nvme" {
			kind = storage.Disk_NVME
		}
		answer.Disks = append(answer.Disks, &storage.Disk{
			DeviceName: spec.DevPath, Model: spec.Model, Size: spec.Size, Serial: spec.Serial, BusPath: spec.BusPath,
			Subsystem: spec.SubSystem, Type: kind,
			SystemDisk: s.machine.kept().Installed && spec.DevPath == s.machine.kept().SystemDisk,
		})
	}
	return &storage.DisksResponse{Messages: []*storage.Disks{answer}}, nil
}

// BlockDeviceWipe validates a request. It wipes nothing, because disks other than the system disk hold no data.
func (s *storaged) BlockDeviceWipe(ctx context.Context, in *storage.BlockDeviceWipeRequest) (*storage.BlockDeviceWipeResponse, error) {
	if !s.inMaintenance() && !rolesOf(ctx).Includes(role.Admin) {
		return nil, errNotAuthorized
	}
	for _, device := range in.Devices {
		if _, err := safe.StateGetByID[*block.Disk](ctx, s.state, device.Device); err != nil {
			return nil, status.Errorf(codes.NotFound, "blockdevice %q not found", device.Device)
		}
		if s.machine.kept().Installed && filepath.Join("/dev", device.Device) == s.machine.kept().SystemDisk {
			return nil, status.Errorf(codes.FailedPrecondition, "blockdevice %q is in use by volume %q", device.Device, "EPHEMERAL")
		}
	}
	return &storage.BlockDeviceWipeResponse{Messages: []*storage.BlockDeviceWipe{{}}}, nil
}
