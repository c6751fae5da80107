package standin

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"

	"hearth.dev/lab/plugins/internal/schema"
)

func (s *server) Invoke(ctx context.Context, req plugin.InvokeRequest) (plugin.InvokeResponse, error) {
	function, ok := s.Functions[string(req.Tok)]
	if !ok {
		return plugin.InvokeResponse{}, fmt.Errorf(
			"the lab's stand-in for the %s plugin has no function %s: install the vendor's plugin", s.Name, req.Tok)
	}
	given := schema.Known(req.Args)
	if found := function.Inputs.Check(given); len(found) > 0 {
		return plugin.InvokeResponse{Failures: failures(found)}, nil
	}
	ctx, done := s.during(ctx)
	defer done()
	result, err := function.Invoke(ctx, given)
	if err != nil {
		return plugin.InvokeResponse{}, fmt.Errorf("calling %s: %w", req.Tok.Name(), err)
	}
	return plugin.InvokeResponse{Properties: function.Outputs.Seal(result)}, nil
}
