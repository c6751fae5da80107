package talos

import (
	"context"
	"time"

	timeapi "github.com/siderolabs/talos/pkg/machinery/api/time"
	"github.com/siderolabs/talos/pkg/machinery/constants"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// timeService compares the machine's clock with a time server's, which in the lab is this computer's. Source:
// siderolabs/talos v1.13.9, internal/app/machined/internal/server/v1alpha1, v1alpha1_time.go.
type timeService struct {
	timeapi.UnimplementedTimeServiceServer
	*boot
}

// Time asks the first configured server.
func (s *timeService) Time(ctx context.Context, _ *emptypb.Empty) (*timeapi.TimeResponse, error) {
	return s.TimeCheck(ctx, &timeapi.TimeRequest{Server: s.timeServers()[0]})
}

// timeServers are those of the configuration, or Talos' own.
func (b *boot) timeServers() []string {
	if cfg := b.config(); cfg != nil {
		if settings := cfg.NetworkTimeSyncConfig(); settings != nil && len(settings.Servers()) > 0 {
			return settings.Servers()
		}
	}
	return []string{constants.DefaultNTPServer}
}

// TimeCheck asks a server.
func (s *timeService) TimeCheck(_ context.Context, in *timeapi.TimeRequest) (*timeapi.TimeResponse, error) {
	if in.Server == "" {
		return nil, status.Errorf(codes.InvalidArgument, "ntp server is required")
	}
	return &timeapi.TimeResponse{Messages: []*timeapi.Time{{
		Server: in.Server, Localtime: timestamppb.New(s.machine.disk.now()), Remotetime: timestamppb.New(time.Now()),
	}}}, nil
}
