package talos

import (
	"context"
	"errors"
	"fmt"

	"github.com/siderolabs/talos/pkg/machinery/api/common"
	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// inspected returns the containers of a namespace. Source: siderolabs/talos v1.13.9,
// internal/app/machined/internal/server/v1alpha1, getContainerInspector.
func (m *machined) inspected(namespace string, driver common.ContainerDriver) ([]running, error) {
	switch {
	case namespace == "":
		return nil, status.Errorf(codes.InvalidArgument, "namespace can't be empty")
	case driver == common.ContainerDriver_CRI && namespace != podImages:
		return nil, errors.New("CRI inspector is supported only for K8s namespace")
	case driver != common.ContainerDriver_CRI && driver != common.ContainerDriver_CONTAINERD:
		return nil, status.Errorf(codes.InvalidArgument, "unsupported driver %q", driver)
	}
	var all []running
	for _, each := range m.running() {
		if each.namespace == namespace {
			all = append(all, each)
		}
	}
	return all, nil
}

// Containers lists the containers of a namespace.
func (m *machined) Containers(_ context.Context, in *machine.ContainersRequest) (*machine.ContainersResponse, error) {
	all, err := m.inspected(in.Namespace, in.Driver)
	if err != nil {
		return nil, err
	}
	answer := &machine.Container{}
	for _, each := range all {
		info := &machine.ContainerInfo{
			Namespace: in.Namespace, Id: each.display(), InternalId: each.internalID(), Uid: each.uid, PodId: each.pod, Name: each.name,
			Image: each.image, Pid: uint32(each.pid), Status: "RUNNING",
		}
		switch {
		case each.pod == "":
			info.PodId = each.name
		case each.name == "":
			info.Name, info.Status = each.pod, "SANDBOX_READY"
		default:
			info.Status = "CONTAINER_RUNNING"
		}
		answer.Containers = append(answer.Containers, info)
	}
	return &machine.ContainersResponse{Messages: []*machine.Container{answer}}, nil
}

// Stats returns the memory and processor time of containers.
func (m *machined) Stats(_ context.Context, in *machine.StatsRequest) (*machine.StatsResponse, error) {
	all, err := m.inspected(in.Namespace, in.Driver)
	if err != nil {
		return nil, err
	}
	answer := &machine.Stats{}
	for _, each := range all {
		pod, name := each.pod, each.name
		if pod == "" {
			pod = name
		}
		answer.Stats = append(answer.Stats, &machine.Stat{
			Namespace: in.Namespace, Id: each.display(), PodId: pod, Name: name,
			MemoryUsage: each.memoryKiB << 10, CpuUsage: uint64(m.cpuTime()),
		})
	}
	return &machine.StatsResponse{Messages: []*machine.Stats{answer}}, nil
}

// Restart is refused for a container that does not exist. The lab's containers have no process of their own to end.
func (m *machined) Restart(_ context.Context, in *machine.RestartRequest) (*machine.RestartResponse, error) {
	all, err := m.inspected(in.Namespace, in.Driver)
	if err != nil {
		return nil, err
	}
	for _, each := range all {
		if each.display() == in.Id {
			return &machine.RestartResponse{Messages: []*machine.Restart{{}}}, nil
		}
	}
	return nil, fmt.Errorf("container %q not found", in.Id)
}

// Processes lists what runs.
func (m *machined) Processes(context.Context, *emptypb.Empty) (*machine.ProcessesResponse, error) {
	answer := &machine.Process{}
	for _, each := range m.running() {
		parent := int32(1)
		if each.pid == 1 {
			parent = 0
		}
		answer.Processes = append(answer.Processes, &machine.ProcessInfo{
			Pid: each.pid, Ppid: parent, State: "S", Threads: int32(m.machine.spec.Cores) + 8, CpuTime: m.cpuTime().Seconds(),
			VirtualMemory: each.memoryKiB << 14, ResidentMemory: each.memoryKiB << 10, Command: each.command(), Args: each.args,
		})
	}
	return &machine.ProcessesResponse{Messages: []*machine.Process{answer}}, nil
}

func (r running) command() string {
	if r.name == "" {
		return "pause"
	}
	return r.name
}

// Netstat lists the listening sockets of what runs. The lab's connections are not the machine's.
func (m *machined) Netstat(_ context.Context, in *machine.NetstatRequest) (*machine.NetstatResponse, error) {
	answer := &machine.Netstat{}
	if in.Filter < machine.NetstatRequest_ALL || in.Filter > machine.NetstatRequest_LISTENING {
		return nil, status.Errorf(codes.InvalidArgument, "invalid filter: %v", in.Filter)
	}
	isShown := in.Filter != machine.NetstatRequest_CONNECTED && in.GetL4Proto().GetTcp() && in.GetNetns().GetHostnetwork()
	for _, each := range m.running() {
		for _, port := range each.ports {
			if !isShown {
				continue
			}
			record := &machine.ConnectRecord{
				L4Proto: "tcp", Localip: "0.0.0.0", Localport: port, Remoteip: "0.0.0.0", State: machine.ConnectRecord_LISTEN,
				Process: &machine.ConnectRecord_Process{},
			}
			if in.GetFeature().GetPid() {
				record.Process = &machine.ConnectRecord_Process{Pid: uint32(each.pid), Name: each.command()}
			}
			answer.Connectrecord = append(answer.Connectrecord, record)
		}
	}
	return &machine.NetstatResponse{Messages: []*machine.Netstat{answer}}, nil
}

// LogsContainers lists the logs that Logs returns.
func (m *machined) LogsContainers(context.Context, *emptypb.Empty) (*machine.LogsContainersResponse, error) {
	answer := &machine.LogsContainer{}
	for _, service := range m.services.list() {
		answer.Ids = append(answer.Ids, service.Id)
	}
	return &machine.LogsContainersResponse{Messages: []*machine.LogsContainer{answer}}, nil
}
