package talos

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"github.com/siderolabs/talos/pkg/machinery/resources/v1alpha1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// keptServiceEvents is the number of events that are listed per service.
const keptServiceEvents = 30

// services are the services of `talosctl services` that the lab has.
type services struct {
	mu  sync.Mutex
	all map[string]*machine.ServiceInfo
	// changed is called after every change, without the lock.
	changed func(*machine.ServiceInfo)
}

const (
	stateWaiting  = "Waiting"
	statePrepare  = "Preparing"
	stateRunning  = "Running"
	stateFinished = "Finished"
	stateFailed   = "Failed"
)

// set changes a service's state. It does nothing if the state and message stay the same.
func (s *services) set(id, state, message string) {
	s.mu.Lock()
	info := s.all[id]
	if info == nil {
		info = &machine.ServiceInfo{
			Id: id, Events: &machine.ServiceEvents{}, Health: &machine.ServiceHealth{Unknown: true},
		}
		s.all[id] = info
	}
	events := info.Events.Events
	if info.State == state && len(events) > 0 && events[len(events)-1].Msg == message {
		s.mu.Unlock()
		return
	}
	info.State = state
	events = append(events, &machine.ServiceEvent{Msg: message, State: state, Ts: timestamppb.Now()})
	info.Events.Events = events[max(0, len(events)-keptServiceEvents):]
	if state != stateRunning {
		info.Health = &machine.ServiceHealth{Unknown: true, LastChange: timestamppb.Now()}
	}
	copied := clone(info)
	s.mu.Unlock()
	s.changed(copied)
}

// health changes a running service's health.
func (s *services) health(id string, healthy bool, message string) {
	s.mu.Lock()
	info := s.all[id]
	if info == nil || (!info.Health.Unknown && info.Health.Healthy == healthy && info.Health.LastMessage == message) {
		s.mu.Unlock()
		return
	}
	flipped := info.Health.Unknown || info.Health.Healthy != healthy
	info.Health = &machine.ServiceHealth{Healthy: healthy, LastMessage: message, LastChange: timestamppb.New(time.Now())}
	if flipped && len(info.Events.Events) > 0 {
		info.Events.Events = append(info.Events.Events, &machine.ServiceEvent{
			Msg: healthMessage(healthy, message), State: info.State, Ts: timestamppb.Now(),
		})
	}
	copied := clone(info)
	s.mu.Unlock()
	if flipped {
		s.changed(copied)
	}
}

func healthMessage(healthy bool, message string) string {
	if healthy {
		return "Health check successful"
	}
	return "Health check failed: " + message
}

func (s *services) list() []*machine.ServiceInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []*machine.ServiceInfo{}
	for _, id := range slices.Sorted(maps.Keys(s.all)) {
		all = append(all, clone(s.all[id]))
	}
	return all
}

func (s *services) get(id string) *machine.ServiceInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	return clone(s.all[id])
}

func clone(info *machine.ServiceInfo) *machine.ServiceInfo {
	if info == nil {
		return nil
	}
	return &machine.ServiceInfo{
		Id: info.Id, State: info.State, Events: &machine.ServiceEvents{Events: slices.Clone(info.Events.Events)},
		Health: &machine.ServiceHealth{
			Unknown: info.Health.Unknown, Healthy: info.Health.Healthy,
			LastMessage: info.Health.LastMessage, LastChange: info.Health.LastChange,
		},
	}
}

// serviceChanged publishes a service's new state.
func (b *boot) serviceChanged(info *machine.ServiceInfo) {
	put(b, v1alpha1.NewService(info.Id), func(r *v1alpha1.Service) {
		r.TypedSpec().Running = info.State == stateRunning
		r.TypedSpec().Healthy, r.TypedSpec().Unknown = info.Health.Healthy, info.Health.Unknown
	})
	message := ""
	if events := info.Events.Events; len(events) > 0 {
		message = events[len(events)-1].Msg
	}
	action := map[string]machine.ServiceStateEvent_Action{
		stateWaiting: machine.ServiceStateEvent_WAITING, statePrepare: machine.ServiceStateEvent_PREPARING,
		stateRunning: machine.ServiceStateEvent_RUNNING, stateFinished: machine.ServiceStateEvent_FINISHED,
		stateFailed: machine.ServiceStateEvent_FAILED,
	}[info.State]
	b.events.publish("", &machine.ServiceStateEvent{
		Service: info.Id, Action: action, Message: message, Health: info.Health,
	})
}
