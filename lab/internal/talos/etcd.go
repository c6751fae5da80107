package talos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/siderolabs/talos/pkg/machinery/api/common"
	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	etcdres "github.com/siderolabs/talos/pkg/machinery/resources/etcd"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"hearth.dev/lab/internal/controlplane"
)

// withEtcd calls call with a client of this machine's etcd member.
func (m *machined) withEtcd(ctx context.Context, api string, call func(context.Context, *clientv3.Client) error) error {
	if err := m.onControlPlane(api); err != nil {
		return err
	}
	m.mu.Lock()
	plane := m.plane
	m.mu.Unlock()
	if plane == nil {
		return status.Error(codes.Unavailable, "etcd is not running")
	}
	client, err := plane.EtcdClient()
	if err != nil {
		return fmt.Errorf("failed to create etcd client: %w", err)
	}
	defer client.Close()
	return call(clientv3.WithRequireLeader(ctx), client)
}

// EtcdMemberList lists the members that this machine's member knows.
func (m *machined) EtcdMemberList(ctx context.Context, _ *machine.EtcdMemberListRequest) (*machine.EtcdMemberListResponse, error) {
	members := &machine.EtcdMembers{}
	err := m.withEtcd(ctx, "member list", func(ctx context.Context, client *clientv3.Client) error {
		list, err := client.MemberList(ctx)
		if err != nil {
			return err
		}
		for _, each := range list.Members {
			members.LegacyMembers = append(members.LegacyMembers, each.Name)
			members.Members = append(members.Members, &machine.EtcdMember{
				Id: each.ID, Hostname: each.Name, PeerUrls: each.PeerURLs, ClientUrls: each.ClientURLs, IsLearner: each.IsLearner,
			})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &machine.EtcdMemberListResponse{Messages: []*machine.EtcdMembers{members}}, nil
}

// EtcdRemoveMemberByID removes another member.
func (m *machined) EtcdRemoveMemberByID(ctx context.Context, in *machine.EtcdRemoveMemberByIDRequest) (*machine.EtcdRemoveMemberByIDResponse, error) {
	err := m.withEtcd(ctx, "etcd remove member", func(ctx context.Context, client *clientv3.Client) error {
		_, err := client.MemberRemove(ctx, in.MemberId)
		if errors.Is(err, rpctypes.ErrMemberNotFound) {
			return status.Error(codes.NotFound, err.Error())
		}
		if err != nil {
			return fmt.Errorf("failed to remove member: %w", err)
		}
		return nil
	})
	return &machine.EtcdRemoveMemberByIDResponse{Messages: []*machine.EtcdRemoveMemberByID{{}}}, err
}

// EtcdLeaveCluster removes this machine's member from the cluster.
func (m *machined) EtcdLeaveCluster(ctx context.Context, _ *machine.EtcdLeaveClusterRequest) (*machine.EtcdLeaveClusterResponse, error) {
	m.mu.Lock()
	plane := m.plane
	m.mu.Unlock()
	err := m.withEtcd(ctx, "etcd leave", func(ctx context.Context, client *clientv3.Client) error {
		return leaveEtcd(ctx, client, plane, m.machine.address)
	})
	return &machine.EtcdLeaveClusterResponse{Messages: []*machine.EtcdLeaveCluster{{}}}, err
}

// leaveTimeout is how long a member waits for the answer to its removal, which may cut off its connection.
const leaveTimeout = 10 * time.Second

// Talos' own limits of leaving. Source: siderolabs/talos v1.13.9, internal/pkg/etcd/etcd.go, LeaveCluster.
const (
	leavePatience = 5 * time.Minute
	leaveInterval = 10 * time.Second
)

func leaveEtcd(ctx context.Context, client *clientv3.Client, plane *controlplane.ControlPlane, address netip.Addr) error {
	ctx, cancel := context.WithTimeout(ctx, leavePatience)
	defer cancel()
	self, _, err := ownMember(ctx, client, address)
	if err != nil {
		return fmt.Errorf("failed to leave cluster: %w", err)
	}
	err = whileUnhealthy(ctx, leaveInterval, func() error {
		attempt, cancel := context.WithTimeout(ctx, leaveTimeout)
		defer cancel()
		_, err := client.MemberRemove(attempt, self.ID)
		if err != nil && hasLeft(ctx, plane, self.ID) {
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("failed to leave cluster: failed to remove member %s: %w", etcdres.FormatMemberID(self.ID), err)
	}
	return plane.DiscardEtcd()
}

// whileUnhealthy removes a member again while etcd says that members have not found each other yet, or that it stops.
func whileUnhealthy(ctx context.Context, interval time.Duration, remove func() error) error {
	for {
		err := remove()
		if !errors.Is(err, rpctypes.ErrUnhealthy) && !errors.Is(err, rpctypes.ErrStopped) {
			return err
		}
		if !sleep(ctx, interval) {
			return err
		}
	}
}

// hasLeft reports whether the other members no longer know the member.
func hasLeft(ctx context.Context, plane *controlplane.ControlPlane, member uint64) bool {
	others, err := plane.PeersClient()
	if err != nil {
		return false
	}
	defer others.Close()
	ctx, cancel := context.WithTimeout(ctx, leaveTimeout)
	defer cancel()
	list, err := others.MemberList(ctx)
	return err == nil && !slices.ContainsFunc(list.Members, func(each *etcdserverpb.Member) bool { return each.ID == member })
}

// ownMember finds this machine's member by the address of its peer URL.
func ownMember(ctx context.Context, client *clientv3.Client, address netip.Addr) (*etcdserverpb.Member, []*etcdserverpb.Member, error) {
	list, err := client.MemberList(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, each := range list.Members {
		for _, peer := range each.PeerURLs {
			if parsed, err := url.Parse(peer); err == nil && parsed.Hostname() == address.String() {
				return each, list.Members, nil
			}
		}
	}
	return nil, nil, errors.New("this machine is no etcd member")
}

// EtcdForfeitLeadership moves the leadership from this machine's member to another one.
func (m *machined) EtcdForfeitLeadership(ctx context.Context, _ *machine.EtcdForfeitLeadershipRequest) (*machine.EtcdForfeitLeadershipResponse, error) {
	answer := &machine.EtcdForfeitLeadership{}
	err := m.withEtcd(ctx, "etcd forfeit leadership", func(ctx context.Context, client *clientv3.Client) error {
		self, all, err := ownMember(ctx, client, m.machine.address)
		if err != nil {
			return fmt.Errorf("failed to forfeit leadership: %w", err)
		}
		current, err := client.Status(ctx, client.Endpoints()[0])
		if err != nil {
			return err
		}
		if len(all) == 1 {
			return errors.New("failed to forfeit leadership: cannot forfeit leadership, only one member")
		}
		if current.Leader != self.ID {
			return nil
		}
		for _, each := range all {
			if each.ID != self.ID && !each.IsLearner {
				_, err := client.MoveLeader(ctx, each.ID)
				answer.Member = each.Name
				return err
			}
		}
		return errors.New("failed to forfeit leadership: no other voting member")
	})
	return &machine.EtcdForfeitLeadershipResponse{Messages: []*machine.EtcdForfeitLeadership{answer}}, err
}

// EtcdStatus returns the status of this machine's member.
func (m *machined) EtcdStatus(ctx context.Context, _ *emptypb.Empty) (*machine.EtcdStatusResponse, error) {
	answer := &machine.EtcdMemberStatus{}
	err := m.withEtcd(ctx, "etcd status", func(ctx context.Context, client *clientv3.Client) error {
		s, err := client.Status(ctx, client.Endpoints()[0])
		if err != nil {
			return err
		}
		answer.MemberId, answer.ProtocolVersion, answer.StorageVersion = s.Header.MemberId, s.Version, s.StorageVersion
		answer.DbSize, answer.DbSizeInUse, answer.Leader, answer.IsLearner = s.DbSize, s.DbSizeInUse, s.Leader, s.IsLearner
		answer.RaftIndex, answer.RaftTerm, answer.RaftAppliedIndex = s.RaftIndex, s.RaftTerm, s.RaftAppliedIndex
		answer.Errors = s.Errors
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &machine.EtcdStatusResponse{Messages: []*machine.EtcdStatus{{MemberStatus: answer}}}, nil
}

// EtcdAlarmList lists this cluster's alarms.
func (m *machined) EtcdAlarmList(ctx context.Context, _ *emptypb.Empty) (*machine.EtcdAlarmListResponse, error) {
	answer := &machine.EtcdAlarm{}
	err := m.withEtcd(ctx, "etcd alarm list", func(ctx context.Context, client *clientv3.Client) error {
		list, err := client.AlarmList(ctx)
		if err != nil {
			return err
		}
		for _, alarm := range list.Alarms {
			answer.MemberAlarms = append(answer.MemberAlarms, &machine.EtcdMemberAlarm{
				MemberId: alarm.MemberID, Alarm: machine.EtcdMemberAlarm_AlarmType(alarm.Alarm),
			})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &machine.EtcdAlarmListResponse{Messages: []*machine.EtcdAlarm{answer}}, nil
}

// EtcdDefragment releases unused space of this machine's member.
func (m *machined) EtcdDefragment(ctx context.Context, _ *emptypb.Empty) (*machine.EtcdDefragmentResponse, error) {
	err := m.withEtcd(ctx, "etcd defragment", func(ctx context.Context, client *clientv3.Client) error {
		_, err := client.Defragment(ctx, client.Endpoints()[0])
		return err
	})
	return &machine.EtcdDefragmentResponse{Messages: []*machine.EtcdDefragment{{}}}, err
}

// EtcdSnapshot streams a consistent copy of etcd's database.
func (m *machined) EtcdSnapshot(_ *machine.EtcdSnapshotRequest, stream grpc.ServerStreamingServer[common.Data]) error {
	return m.withEtcd(stream.Context(), "etcd snapshot", func(ctx context.Context, client *clientv3.Client) error {
		reader, err := client.Snapshot(ctx)
		if err != nil {
			return fmt.Errorf("failed reading etcd snapshot: %w", err)
		}
		defer reader.Close()
		return sendAll(stream, reader)
	})
}

// EtcdRecover stores an uploaded snapshot for a later Bootstrap.
func (m *machined) EtcdRecover(stream grpc.ClientStreamingServer[common.Data, machine.EtcdRecoverResponse]) error {
	if err := m.onControlPlane("etcd recover"); err != nil {
		return err
	}
	m.mu.Lock()
	plane := m.plane
	m.mu.Unlock()
	if plane == nil {
		return status.Error(codes.FailedPrecondition, "etcd service is not ready for recovery yet")
	}
	file, err := os.OpenFile(plane.SnapshotPath(), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("error creating etcd recovery snapshot: %w", err)
	}
	for err == nil {
		var message *common.Data
		if message, err = stream.Recv(); err == nil {
			_, err = file.Write(message.Bytes)
		}
	}
	if errors.Is(err, io.EOF) {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(fmt.Errorf("error writing snapshot: %w", err), os.Remove(plane.SnapshotPath()))
	}
	return stream.SendAndClose(&machine.EtcdRecoverResponse{Messages: []*machine.EtcdRecover{{}}})
}

// sendAll streams the content of a reader.
func sendAll(stream grpc.ServerStreamingServer[common.Data], reader io.Reader) error {
	buffer := make([]byte, 64<<10)
	for {
		n, err := reader.Read(buffer)
		if n > 0 {
			if err := stream.Send(&common.Data{Bytes: buffer[:n]}); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
