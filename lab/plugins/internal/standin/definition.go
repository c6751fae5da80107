// Package standin turns descriptions of resources and functions into a Pulumi plugin that is as strict as the vendor's.
package standin

import (
	"context"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"hearth.dev/lab/plugins/internal/schema"
)

// Plugin is what a plugin offers.
type Plugin struct {
	// Name is the package's, for example "random".
	Name string
	// Version is the release of the vendor's plugin that this one stands in for.
	Version string
	// Config are the properties of an explicit provider, the same as the package's configuration.
	Config schema.Properties
	// Configure takes the configuration, without values that are not known yet. It makes no calls.
	Configure func(config resource.PropertyMap) error
	Resources map[string]Resource
	Functions map[string]Function
}

// Resource is a kind of thing that is created, read, updated and deleted.
type Resource struct {
	Properties schema.Properties
	// Check looks for what is wrong between properties; each is already right by itself. Optional.
	Check func(given resource.PropertyMap) []schema.Failure
	// Create makes the resource.
	Create func(ctx context.Context, given resource.PropertyMap) (State, error)
	// Import finds a resource by the ID that the vendor's plugin takes for an import. Nil outputs mean that there is none.
	Import func(ctx context.Context, id string) (State, error)
	// Refresh reads a known resource again. Nil outputs mean that it is gone.
	Refresh func(ctx context.Context, state State) (State, error)
	// Update brings the resource from state to what is given. Optional where every change replaces.
	Update func(ctx context.Context, state State, given resource.PropertyMap) (State, error)
	// Delete ends the resource. Optional where there is nothing to end.
	Delete func(ctx context.Context, state State) error
}

// State is a resource as it is.
type State struct {
	ID      string
	Outputs resource.PropertyMap
}

// Function is something to look up.
type Function struct {
	Inputs  schema.Properties
	Outputs schema.Properties
	Invoke  func(ctx context.Context, given resource.PropertyMap) (resource.PropertyMap, error)
}
