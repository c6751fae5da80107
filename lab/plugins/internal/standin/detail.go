package standin

import (
	"context"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// detailed sets hasDetailedDiff on diffs with details. The SDK's server does not, and without it the engine shows an
// update without its changes.
type detailed struct {
	pulumirpc.ResourceProviderServer
}

func (d detailed) Diff(ctx context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	return withDetail(d.ResourceProviderServer.Diff(ctx, req))
}

func (d detailed) DiffConfig(ctx context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	return withDetail(d.ResourceProviderServer.DiffConfig(ctx, req))
}

func withDetail(diff *pulumirpc.DiffResponse, err error) (*pulumirpc.DiffResponse, error) {
	if err != nil {
		return nil, err
	}
	diff.HasDetailedDiff = len(diff.GetDetailedDiff()) > 0
	return diff, nil
}
