package talos

import (
	"context"

	"github.com/cosi-project/runtime/pkg/resource"
	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"github.com/siderolabs/talos/pkg/machinery/resources/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// MetaWrite writes a key of META. Source: siderolabs/talos v1.13.9, internal/app/machined/internal/server/v1alpha1,
// v1alpha1_meta.go.
func (m *machined) MetaWrite(_ context.Context, in *machine.MetaWriteRequest) (*machine.MetaWriteResponse, error) {
	if uint32(uint8(in.Key)) != in.Key {
		return nil, status.Errorf(codes.InvalidArgument, "key must be a uint8")
	}
	err := m.machine.change(func(r *record) { r.Meta = with(r.Meta, uint8(in.Key), in.Value) })
	m.publishMeta()
	return &machine.MetaWriteResponse{Messages: []*machine.MetaWrite{{}}}, err
}

// MetaDelete removes a key of META.
func (m *machined) MetaDelete(_ context.Context, in *machine.MetaDeleteRequest) (*machine.MetaDeleteResponse, error) {
	if uint32(uint8(in.Key)) != in.Key {
		return nil, status.Errorf(codes.InvalidArgument, "key must be a uint8")
	}
	if _, exists := m.machine.kept().Meta[uint8(in.Key)]; !exists {
		return nil, status.Errorf(codes.NotFound, "meta key not found")
	}
	err := m.machine.change(func(r *record) { r.Meta = with(r.Meta, uint8(in.Key), nil) })
	m.publishMeta()
	return &machine.MetaDeleteResponse{Messages: []*machine.MetaDelete{{}}}, err
}

// with returns a copy of META with a changed key, or without it if the value is nil.
func with(meta map[uint8][]byte, key uint8, value []byte) map[uint8][]byte {
	changed := map[uint8][]byte{}
	for each, content := range meta {
		if each != key {
			changed[each] = content
		}
	}
	if value != nil {
		changed[key] = value
	}
	return changed
}

// publishMeta publishes META's keys.
func (b *boot) publishMeta() {
	ids := map[resource.ID]bool{}
	for key, value := range b.machine.kept().Meta {
		id := runtime.MetaKeyTagToID(key)
		ids[id] = true
		put(b, runtime.NewMetaKey(runtime.NamespaceName, id), func(r *runtime.MetaKey) { r.TypedSpec().Value = string(value) })
	}
	b.keepOnly(runtime.NewMetaKey(runtime.NamespaceName, "").Metadata(), ids)
}
