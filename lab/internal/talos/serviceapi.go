package talos

import (
	"context"
	"fmt"

	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// ServiceList lists the machine's services and their states.
func (m *machined) ServiceList(context.Context, *emptypb.Empty) (*machine.ServiceListResponse, error) {
	return &machine.ServiceListResponse{Messages: []*machine.ServiceList{{Services: m.services.list()}}}, nil
}

// operate checks that the API may operate on a service. As in Talos, of the lab's services only the kubelet allows it.
func (m *machined) operate(id, operation string) error {
	if m.services.get(id) == nil {
		return status.Errorf(codes.NotFound, "service %q is not registered", id)
	}
	if id != "kubelet" {
		return fmt.Errorf("service %q doesn't support %s operation via API", id, operation)
	}
	return nil
}

// ServiceStart starts a stopped service.
func (m *machined) ServiceStart(_ context.Context, in *machine.ServiceStartRequest) (*machine.ServiceStartResponse, error) {
	if err := m.operate(in.Id, "start"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	stopped := m.kubelet == nil
	m.mu.Unlock()
	if stopped {
		m.startKubelet()
	}
	return &machine.ServiceStartResponse{Messages: []*machine.ServiceStart{{Resp: fmt.Sprintf("Service %q started", in.Id)}}}, nil
}

// ServiceStop stops a service.
func (m *machined) ServiceStop(_ context.Context, in *machine.ServiceStopRequest) (*machine.ServiceStopResponse, error) {
	if err := m.operate(in.Id, "stop"); err != nil {
		return nil, err
	}
	m.stopKubelet()
	return &machine.ServiceStopResponse{Messages: []*machine.ServiceStop{{Resp: fmt.Sprintf("Service %q stopped", in.Id)}}}, nil
}

// ServiceRestart stops and starts a service.
func (m *machined) ServiceRestart(_ context.Context, in *machine.ServiceRestartRequest) (*machine.ServiceRestartResponse, error) {
	if err := m.operate(in.Id, "restart"); err != nil {
		return nil, err
	}
	m.stopKubelet()
	m.startKubelet()
	return &machine.ServiceRestartResponse{Messages: []*machine.ServiceRestart{{Resp: fmt.Sprintf("Service %q restarted", in.Id)}}}, nil
}

func (b *boot) stopKubelet() {
	b.showing.Lock()
	b.mu.Lock()
	agent := b.kubelet
	b.kubelet = nil
	b.mu.Unlock()
	if agent != nil {
		b.services.set("kubelet", stateFinished, "Service finished successfully")
	}
	b.showing.Unlock()
	if agent != nil {
		agent.Stop()
	}
}
