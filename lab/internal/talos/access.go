package talos

import (
	"context"

	"github.com/siderolabs/talos/pkg/machinery/constants"
	"github.com/siderolabs/talos/pkg/machinery/role"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

var errNotAuthorized = status.Error(codes.PermissionDenied, "not authorized")

type rolesKey struct{}

// rolesOf returns the caller's roles, which rolesFrom has put into the context.
func rolesOf(ctx context.Context) role.Set {
	roles, ok := ctx.Value(rolesKey{}).(role.Set)
	if !ok {
		return role.Zero
	}
	return roles
}

// everybodyReads gives every caller the reader role. In maintenance mode there is nothing to authenticate with.
func everybodyReads(context.Context) role.Set { return role.MakeSet(role.Reader) }

// rolesFromCertificate returns the roles in the organizations of the caller's client certificate. If another machine of
// the cluster calls as impersonator, the roles are in the call's metadata.
func rolesFromCertificate(ctx context.Context) role.Set {
	from, ok := peer.FromContext(ctx)
	if !ok {
		return role.Zero
	}
	info, ok := from.AuthInfo.(credentials.TLSInfo)
	if !ok || len(info.State.PeerCertificates) == 0 {
		return role.Zero
	}
	roles, _ := role.Parse(info.State.PeerCertificates[0].Subject.Organization)
	if roles.Includes(role.Impersonator) {
		if claimed, ok := rolesFromMetadata(ctx); ok {
			return claimed
		}
	}
	return roles
}

func rolesFromMetadata(ctx context.Context) (role.Set, bool) {
	values := metadata.ValueFromIncomingContext(ctx, constants.APIAuthzRoleMetadataKey)
	if len(values) == 0 {
		return role.Zero, false
	}
	roles, _ := role.Parse(values)
	return roles, true
}

// withRoles returns interceptors that find the caller's roles.
func withRoles(find func(context.Context) role.Set) []grpc.ServerOption {
	add := func(ctx context.Context) context.Context { return context.WithValue(ctx, rolesKey{}, find(ctx)) }
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			return next(add(ctx), request)
		}),
		grpc.ChainStreamInterceptor(func(server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			return next(server, streamWith{stream, add(stream.Context())})
		}),
	}
}

// authorized returns interceptors that refuse calls which the caller's roles do not allow.
func authorized() []grpc.ServerOption {
	check := func(ctx context.Context, method string) error {
		allowed, known := access[method]
		if !known {
			allowed = role.MakeSet(role.Admin)
		}
		if !allowed.IncludesAny(rolesOf(ctx)) {
			return errNotAuthorized
		}
		return nil
	}
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(func(ctx context.Context, request any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			if err := check(ctx, info.FullMethod); err != nil {
				return nil, err
			}
			return next(ctx, request)
		}),
		grpc.ChainStreamInterceptor(func(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			if err := check(stream.Context(), info.FullMethod); err != nil {
				return err
			}
			return next(server, stream)
		}),
	}
}

type streamWith struct {
	grpc.ServerStream
	ctx context.Context
}

func (s streamWith) Context() context.Context { return s.ctx }

// access maps methods to the roles that may call them. An administrator may call any. It is Talos 1.13's table.
var access = func() map[string]role.Set {
	admin := role.MakeSet(role.Admin)
	operator := role.MakeSet(role.Admin, role.Operator)
	reader := role.MakeSet(role.Admin, role.Operator, role.Reader)
	backup := role.MakeSet(role.Admin, role.Operator, role.EtcdBackup)
	readsEtcd := role.MakeSet(role.Admin, role.Operator, role.Reader, role.EtcdBackup)
	rules := map[string]role.Set{
		"/cluster.ClusterService/HealthCheck":                   reader,
		"/machine.ImageService/List":                            reader,
		"/machine.ImageService/Pull":                            operator,
		"/machine.ImageService/Verify":                          reader,
		"/inspect.InspectService/ControllerRuntimeDependencies": reader,
		"/cosi.resource.State/Get":                              reader,
		"/cosi.resource.State/List":                             reader,
		"/cosi.resource.State/Watch":                            reader,
		"/cosi.resource.State/Create":                           admin, "/cosi.resource.State/Update": admin, "/cosi.resource.State/Destroy": admin,
		"/storage.StorageService/Disks": reader,
		"/time.TimeService/Time":        reader, "/time.TimeService/TimeCheck": reader,
		// Readers may call it only in maintenance mode, which the handlers check.
		"/machine.MachineService/ApplyConfiguration": role.MakeSet(role.Admin, role.Reader),
		"/storage.StorageService/BlockDeviceWipe":    role.MakeSet(role.Admin, role.Reader),
	}
	for methods, roles := range map[*[]string]role.Set{&readerMethods: reader, &operatorMethods: operator, &readsEtcdMethods: readsEtcd} {
		for _, method := range *methods {
			rules["/machine.MachineService/"+method] = roles
		}
	}
	rules["/machine.MachineService/EtcdSnapshot"] = backup
	rules["/machine.MachineService/MetaWrite"] = role.MakeSet(role.Admin, role.MetaWriter)
	rules["/machine.MachineService/MetaDelete"] = role.MakeSet(role.Admin, role.MetaWriter)
	return rules
}()

var (
	readerMethods = []string{
		"CPUInfo", "CPUFreqStats", "Containers", "DiskStats", "DiskUsage", "Dmesg", "Events", "Hostname", "ImageList", "List",
		"LoadAvg", "Logs", "LogsContainers", "Memory", "Mounts", "NetworkDeviceStats", "Netstat", "Processes", "ServiceList",
		"Stats", "SystemStat", "Version",
	}
	operatorMethods = []string{
		"EtcdAlarmDisarm", "EtcdDefragment", "ImagePull", "PacketCapture", "Reboot", "Restart", "ServiceRestart",
		"ServiceStart", "ServiceStop", "Shutdown",
	}
	readsEtcdMethods = []string{"EtcdAlarmList", "EtcdMemberList", "EtcdStatus"}
)
