package standin

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"

	"hearth.dev/lab/plugins/internal/schema"
)

func (s *server) resource(token tokens.Type) (Resource, error) {
	found, ok := s.Resources[string(token)]
	if !ok {
		return Resource{}, fmt.Errorf(
			"the lab's stand-in for the %s plugin has no resource %s: install the vendor's plugin", s.Name, token)
	}
	return found, nil
}

func (s *server) Check(_ context.Context, req plugin.CheckRequest) (plugin.CheckResponse, error) {
	kind, err := s.resource(req.Type)
	if err != nil {
		return plugin.CheckResponse{}, err
	}
	given := schema.Known(req.News)
	found := kind.Properties.Check(given)
	if len(found) == 0 && kind.Check != nil {
		found = kind.Check(given)
	}
	return plugin.CheckResponse{Properties: given, Failures: failures(found)}, nil
}

func (s *server) Diff(_ context.Context, req plugin.DiffRequest) (plugin.DiffResponse, error) {
	kind, err := s.resource(req.Type)
	if err != nil {
		return plugin.DiffResponse{}, err
	}
	return diffResult(kind.Properties.Diff(req.OldOutputs, req.OldInputs, req.NewInputs)), nil
}

func (s *server) Create(ctx context.Context, req plugin.CreateRequest) (plugin.CreateResponse, error) {
	kind, err := s.resource(req.Type)
	if err != nil {
		return plugin.CreateResponse{}, err
	}
	if req.Preview {
		return plugin.CreateResponse{Properties: kind.Properties.Planned(req.Properties, nil)}, nil
	}
	ctx, done := s.during(ctx)
	defer done()
	state, err := kind.Create(ctx, schema.Known(req.Properties))
	if err != nil {
		return plugin.CreateResponse{}, failed("creating", req.Type, req.Name, err)
	}
	return plugin.CreateResponse{
		ID: resource.ID(state.ID), Properties: kind.Stored(state), Status: resource.StatusOK,
	}, nil
}

func (s *server) Read(ctx context.Context, req plugin.ReadRequest) (plugin.ReadResponse, error) {
	kind, err := s.resource(req.Type)
	if err != nil {
		return plugin.ReadResponse{}, err
	}
	ctx, done := s.during(ctx)
	defer done()
	before, importing := schema.Known(req.Inputs), len(req.State) == 0
	var state State
	if importing {
		before = nil
		state, err = kind.Import(ctx, string(req.ID))
	} else {
		state, err = kind.Refresh(ctx, State{ID: string(req.ID), Outputs: schema.Known(req.State)})
	}
	if err != nil {
		return plugin.ReadResponse{}, failed("reading", req.Type, req.Name, err)
	}
	if state.Outputs == nil {
		return plugin.ReadResponse{}, nil
	}
	return plugin.ReadResponse{ReadResult: plugin.ReadResult{
		ID:      resource.ID(state.ID),
		Inputs:  kind.Properties.Seal(kind.Properties.Given(state.Outputs, before)),
		Outputs: kind.Stored(state),
	}, Status: resource.StatusOK}, nil
}

func (s *server) Update(ctx context.Context, req plugin.UpdateRequest) (plugin.UpdateResponse, error) {
	kind, err := s.resource(req.Type)
	if err != nil {
		return plugin.UpdateResponse{}, err
	}
	before := schema.Known(req.OldOutputs)
	if req.Preview {
		return plugin.UpdateResponse{Properties: kind.Properties.Planned(req.NewInputs, before)}, nil
	}
	if kind.Update == nil {
		planned := State{ID: string(req.ID), Outputs: kind.Properties.Planned(req.NewInputs, before)}
		return plugin.UpdateResponse{Properties: kind.Stored(planned), Status: resource.StatusOK}, nil
	}
	ctx, done := s.during(ctx)
	defer done()
	state, err := kind.Update(ctx, State{ID: string(req.ID), Outputs: before}, schema.Known(req.NewInputs))
	if err != nil {
		return plugin.UpdateResponse{}, failed("updating", req.Type, req.Name, err)
	}
	return plugin.UpdateResponse{Properties: kind.Stored(state), Status: resource.StatusOK}, nil
}

func (s *server) Delete(ctx context.Context, req plugin.DeleteRequest) (plugin.DeleteResponse, error) {
	kind, err := s.resource(req.Type)
	if err != nil || kind.Delete == nil {
		return plugin.DeleteResponse{}, err
	}
	ctx, done := s.during(ctx)
	defer done()
	if err := kind.Delete(ctx, State{ID: string(req.ID), Outputs: schema.Known(req.Outputs)}); err != nil {
		return plugin.DeleteResponse{}, failed("deleting", req.Type, req.Name, err)
	}
	return plugin.DeleteResponse{Status: resource.StatusOK}, nil
}

func failed(what string, token tokens.Type, name string, err error) error {
	return fmt.Errorf("%s %s %q: %w", what, token.Name(), name, err)
}
