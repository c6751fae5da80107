package talos

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// EtcdDowngradeValidate asks etcd whether it can go down to a minor release. Source: siderolabs/talos v1.13.9,
// internal/app/machined/internal/server/v1alpha1, EtcdDowngradeValidate.
func (m *machined) EtcdDowngradeValidate(ctx context.Context, in *machine.EtcdDowngradeValidateRequest) (*machine.EtcdDowngradeValidateResponse, error) {
	answer, err := m.downgrade(ctx, "etcd downgrade validate", clientv3.DowngradeValidate, in.Version)
	return &machine.EtcdDowngradeValidateResponse{Messages: []*machine.EtcdDowngradeValidate{{ClusterDowngrade: answer}}}, err
}

// EtcdDowngradeEnable lets etcd go down to a minor release.
func (m *machined) EtcdDowngradeEnable(ctx context.Context, in *machine.EtcdDowngradeEnableRequest) (*machine.EtcdDowngradeEnableResponse, error) {
	answer, err := m.downgrade(ctx, "etcd downgrade enable", clientv3.DowngradeEnable, in.Version)
	return &machine.EtcdDowngradeEnableResponse{Messages: []*machine.EtcdDowngradeEnable{{ClusterDowngrade: answer}}}, err
}

// EtcdDowngradeCancel ends that.
func (m *machined) EtcdDowngradeCancel(ctx context.Context, _ *emptypb.Empty) (*machine.EtcdDowngradeCancelResponse, error) {
	answer, err := m.downgrade(ctx, "etcd downgrade cancel", clientv3.DowngradeCancel, "")
	return &machine.EtcdDowngradeCancelResponse{Messages: []*machine.EtcdDowngradeCancel{{ClusterDowngrade: answer}}}, err
}

func (m *machined) downgrade(ctx context.Context, api string, action clientv3.DowngradeAction, version string) (*machine.EtcdClusterDowngrade, error) {
	if err := m.onControlPlane(api); err != nil {
		return nil, err
	}
	if action != clientv3.DowngradeCancel {
		if err := checkDowngrade(version); err != nil {
			return nil, err
		}
	}
	answer := &machine.EtcdClusterDowngrade{}
	err := m.withEtcd(ctx, api, func(ctx context.Context, client *clientv3.Client) error {
		done, err := client.Downgrade(ctx, action, version)
		if err != nil {
			return fmt.Errorf("failed to query etcd status: %w", err)
		}
		answer.ClusterVersion = done.Version
		return nil
	})
	return answer, err
}

func checkDowngrade(version string) error {
	if version == "" {
		return status.Error(codes.InvalidArgument, "version is required for etcd downgrade")
	}
	major, minor, isPair := strings.Cut(version, ".")
	if !isPair || strings.Contains(minor, ".") {
		return status.Error(codes.InvalidArgument, "version should be in MAJOR.MINOR format")
	}
	first, err := strconv.ParseInt(major, 10, 64)
	if err != nil {
		return status.Error(codes.InvalidArgument, "major version should be a number")
	}
	second, err := strconv.ParseInt(minor, 10, 64)
	if err != nil {
		return status.Error(codes.InvalidArgument, "minor version should be a number")
	}
	if first < 3 || first == 3 && second < 5 {
		return status.Error(codes.InvalidArgument, "etcd downgrade is only supported to 3.5 and later versions")
	}
	return nil
}

// EtcdAlarmDisarm clears the cluster's alarms.
func (m *machined) EtcdAlarmDisarm(ctx context.Context, _ *emptypb.Empty) (*machine.EtcdAlarmDisarmResponse, error) {
	answer := &machine.EtcdAlarmDisarm{}
	err := m.withEtcd(ctx, "etcd alarm disarm", func(ctx context.Context, client *clientv3.Client) error {
		done, err := client.AlarmDisarm(ctx, &clientv3.AlarmMember{})
		if err != nil {
			return fmt.Errorf("failed to disarm etcd alarm: %w", err)
		}
		for _, alarm := range done.Alarms {
			answer.MemberAlarms = append(answer.MemberAlarms, &machine.EtcdMemberAlarm{
				MemberId: alarm.MemberID, Alarm: machine.EtcdMemberAlarm_AlarmType(alarm.Alarm),
			})
		}
		return nil
	})
	return &machine.EtcdAlarmDisarmResponse{Messages: []*machine.EtcdAlarmDisarm{answer}}, err
}
