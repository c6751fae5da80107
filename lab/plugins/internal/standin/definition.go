// Package standin turns descriptions of resources and functions into a Pulumi plugin as strict as the vendor's.
package standin

import (
	"context"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"hearth.dev/lab/plugins/internal/schema"
)

// Plugin describes a plugin.
type Plugin struct {
	// Name is the package's name, for example "random".
	Name string
	// Version is the release of the vendor's plugin that this one stands in for.
	Version string
	// Config are the properties of an explicit provider and of the package's configuration.
	Config schema.Properties
	// Configure takes the configuration, without values that are not yet known. It makes no calls.
	Configure func(config resource.PropertyMap) error
	Resources map[string]Resource
	Functions map[string]Function
}

// Resource describes a resource type.
type Resource struct {
	Properties schema.Properties
	// SchemaVersion is the version of the resource's schema in Terraform, which the state keeps.
	SchemaVersion int
	// WithoutID says that the resource has no attribute id in Terraform.
	WithoutID bool
	// Check finds conflicts between properties that are each valid. Optional.
	Check  func(given resource.PropertyMap) []schema.Failure
	Create func(ctx context.Context, given resource.PropertyMap) (State, error)
	// Import finds a resource by the ID that the vendor's plugin takes for an import. Nil outputs mean that it does not
	// exist.
	Import func(ctx context.Context, id string) (State, error)
	// Refresh reads a known resource again. Nil outputs mean that it no longer exists.
	Refresh func(ctx context.Context, state State) (State, error)
	// Update brings the resource from state to the given inputs. Optional if every change replaces.
	Update func(ctx context.Context, state State, given resource.PropertyMap) (State, error)
	// Delete removes the resource. Optional if there is nothing to remove.
	Delete func(ctx context.Context, state State) error
}

// State is the present state of a resource.
type State struct {
	ID      string
	Outputs resource.PropertyMap
}

// Stored returns a state's outputs in the form in which the vendor's plugin keeps them.
func (r Resource) Stored(state State) resource.PropertyMap {
	id := state.ID
	if r.WithoutID {
		id = ""
	}
	return r.Properties.Stored(id, r.SchemaVersion, r.Properties.Seal(state.Outputs))
}

// Function describes a lookup.
type Function struct {
	Inputs  schema.Properties
	Outputs schema.Properties
	Invoke  func(ctx context.Context, given resource.PropertyMap) (resource.PropertyMap, error)
}
