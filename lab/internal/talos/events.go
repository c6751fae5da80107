package talos

import (
	"slices"
	"sync"
	"time"

	"github.com/rs/xid"
	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// kept is the number of past events that a watcher can get.
const kept = 512

// events are the machine's events, which `talosctl events` and `--wait` follow.
type events struct {
	mu       sync.Mutex
	past     []*machine.Event
	watchers map[chan *machine.Event]struct{}
}

func newEvents() *events {
	return &events{watchers: map[chan *machine.Event]struct{}{}}
}

func newEvent(actor string, payload proto.Message) *machine.Event {
	event := &machine.Event{Id: xid.New().String(), ActorId: actor, Data: &anypb.Any{}}
	if payload != nil {
		value, err := proto.Marshal(payload)
		if err != nil {
			panic(err) // the payloads are built here and always encode
		}
		event.Data = &anypb.Any{
			TypeUrl: "talos/runtime/" + string(payload.ProtoReflect().Descriptor().FullName()), Value: value,
		}
	}
	return event
}

// publish sends an event to every watcher. As in Talos, a slow watcher misses events.
func (e *events) publish(actor string, payload proto.Message) {
	event := newEvent(actor, payload)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.past = append(e.past, event)
	if len(e.past) > kept {
		e.past = slices.Clone(e.past[len(e.past)-kept:])
	}
	for watcher := range e.watchers {
		select {
		case watcher <- event:
		default:
		}
	}
}

// watch returns the past events that the request asks for, and a channel of future ones. The caller calls stop.
func (e *events) watch(request *machine.EventsRequest) (past []*machine.Event, next <-chan *machine.Event, stop func()) {
	channel := make(chan *machine.Event, kept)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.watchers[channel] = struct{}{}
	return tail(e.past, request), channel, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.watchers, channel)
	}
}

func tail(past []*machine.Event, request *machine.EventsRequest) []*machine.Event {
	switch {
	case request.TailEvents < 0:
	case request.TailEvents > 0:
		past = past[max(0, len(past)-int(request.TailEvents)):]
	case request.TailId != "":
		at := slices.IndexFunc(past, func(event *machine.Event) bool { return event.Id > request.TailId })
		if at < 0 {
			return nil
		}
		past = past[at:]
	case request.TailSeconds > 0:
		since := time.Now().Add(-time.Duration(request.TailSeconds) * time.Second)
		at := slices.IndexFunc(past, func(event *machine.Event) bool {
			id, err := xid.FromString(event.Id)
			return err == nil && !id.Time().Before(since)
		})
		if at < 0 {
			return nil
		}
		past = past[at:]
	default:
		return nil
	}
	return slices.DeleteFunc(slices.Clone(past), func(event *machine.Event) bool { return !wanted(event, request) })
}

func wanted(event *machine.Event, request *machine.EventsRequest) bool {
	return request.WithActorId == "" || event.ActorId == request.WithActorId
}
