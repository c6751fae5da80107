package talos

import (
	"context"
	"fmt"

	"github.com/cosi-project/runtime/pkg/resource"
	"github.com/cosi-project/runtime/pkg/resource/meta"
	"github.com/cosi-project/runtime/pkg/safe"
	"github.com/cosi-project/runtime/pkg/state"
	"github.com/cosi-project/runtime/pkg/state/impl/inmem"
	"github.com/cosi-project/runtime/pkg/state/impl/namespaced"
	"github.com/cosi-project/runtime/pkg/state/registry"
	"github.com/siderolabs/talos/pkg/machinery/resources/config"
	"github.com/siderolabs/talos/pkg/machinery/role"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// newState returns an empty COSI state with the namespaces and kinds of resources that Talos registers.
func newState(ctx context.Context) (state.State, error) {
	resources := state.WrapCore(namespaced.NewState(func(namespace resource.Namespace) state.CoreState {
		return inmem.NewStateWithOptions(inmem.WithHistoryMaxCapacity(256), inmem.WithHistoryGap(4))(namespace)
	}))
	namespaces, types := registry.NewNamespaceRegistry(resources), registry.NewResourceRegistry(resources)
	if err := namespaces.RegisterDefault(ctx); err != nil {
		return nil, err
	}
	if err := types.RegisterDefault(ctx); err != nil {
		return nil, err
	}
	for name, description := range namespaceDescriptions {
		if err := namespaces.Register(ctx, name, description); err != nil {
			return nil, err
		}
	}
	for _, kind := range kinds {
		if err := types.Register(ctx, kind); err != nil {
			return nil, err
		}
	}
	return resources, nil
}

// readable restricts callers of the API to reading what their roles allow.
func readable(resources state.State) state.CoreState {
	return state.Filter(resources, func(ctx context.Context, access state.Access) error {
		if !access.Verb.Readonly() {
			return status.Error(codes.PermissionDenied, "write access is not allowed")
		}
		definition, err := safe.StateGet[*meta.ResourceDefinition](ctx, resources, resource.NewMetadata(
			meta.NamespaceName, meta.ResourceDefinitionType, lower(access.ResourceType), resource.VersionUndefined))
		if state.IsNotFoundError(err) {
			return status.Errorf(codes.PermissionDenied, "resource type %q is not supported", access.ResourceType)
		}
		if err != nil {
			return err
		}
		if definition.TypedSpec().Sensitivity == meta.Sensitive && !rolesOf(ctx).Includes(role.Admin) {
			return errNotAuthorized
		}
		_, err = resources.Get(ctx, resource.NewMetadata(meta.NamespaceName, meta.NamespaceType, access.ResourceNamespace, resource.VersionUndefined))
		if state.IsNotFoundError(err) {
			return status.Errorf(codes.PermissionDenied, "namespace %q is not supported", access.ResourceNamespace)
		}
		return err
	})
}

// put creates or updates a resource.
func put[R resource.Resource](b *boot, empty R, fill func(R)) {
	_, err := safe.StateModifyWithResult(b.ctx, b.state, empty, func(r R) error {
		fill(r)
		return nil
	})
	if err != nil && b.ctx.Err() == nil {
		b.machine.log.Printf("%s: %v", empty.Metadata(), err)
	}
}

// drop removes a resource if it exists.
func (b *boot) drop(pointer resource.Pointer) {
	if err := b.state.Destroy(b.ctx, pointer); err != nil && !state.IsNotFoundError(err) && b.ctx.Err() == nil {
		b.machine.log.Printf("%s: %v", pointer, err)
	}
}

// keepOnly removes the resources of a kind that are not in ids.
func (b *boot) keepOnly(kind resource.Kind, ids map[resource.ID]bool) {
	list, err := b.state.List(b.ctx, kind)
	if err != nil {
		return
	}
	for _, item := range list.Items {
		if !ids[item.Metadata().ID()] {
			b.drop(item.Metadata())
		}
	}
}

// publishConfig publishes a configuration under its ID: active or persistent.
func (b *boot) publishConfig(r *config.MachineConfig) error {
	current, err := b.state.Get(b.ctx, r.Metadata())
	if state.IsNotFoundError(err) {
		return b.state.Create(b.ctx, r)
	}
	if err != nil {
		return err
	}
	r.Metadata().SetVersion(current.Metadata().Version())
	if err := b.state.Update(b.ctx, r); err != nil {
		return fmt.Errorf("publishing the configuration: %w", err)
	}
	return nil
}
