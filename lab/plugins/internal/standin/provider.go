package standin

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"hearth.dev/lab/plugins/internal/schema"
)

// Serve runs the plugin until the engine ends it.
func Serve(p Plugin) error {
	return provider.Main(p.Name, func(*provider.HostClient) (pulumirpc.ResourceProviderServer, error) {
		ctx, cancel := context.WithCancelCause(context.Background())
		return detailed{plugin.NewProviderServer(&server{Plugin: p, ending: ctx, end: cancel})}, nil
	})
}

// server answers the engine.
type server struct {
	plugin.UnimplementedProvider
	Plugin
	// ending is done once the engine cancels.
	ending context.Context
	end    context.CancelCauseFunc
}

// Handshake declines secrets, so the engine removes the marks from what it sends and restores them on what it receives.
func (s *server) Handshake(
	context.Context, plugin.ProviderHandshakeRequest,
) (*plugin.ProviderHandshakeResponse, error) {
	return &plugin.ProviderHandshakeResponse{}, nil
}

func (s *server) Close() error { return nil }

func (s *server) SignalCancellation(context.Context) error {
	s.end(fmt.Errorf("the operation was cancelled"))
	return nil
}

// during returns a context that also ends when the engine cancels.
func (s *server) during(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	release := context.AfterFunc(s.ending, func() { cancel(context.Cause(s.ending)) })
	return ctx, func() { release(); cancel(nil) }
}

func (s *server) GetPluginInfo(context.Context) (plugin.PluginInfo, error) {
	version, err := semver.Parse(s.Version)
	return plugin.PluginInfo{Version: &version}, err
}

func (s *server) GetSchema(context.Context, plugin.GetSchemaRequest) (plugin.GetSchemaResponse, error) {
	config, _ := s.Config.Inputs()
	document := schema.Document{
		Name: s.Name, Version: s.Version,
		Config:    map[string]any{"variables": config},
		Provider:  map[string]any{"inputProperties": config},
		Resources: map[string]schema.ResourceDocument{}, Functions: map[string]schema.FunctionDocument{},
	}
	for token, one := range s.Resources {
		inputs, required := one.Properties.Inputs()
		document.Resources[token] = schema.ResourceDocument{
			InputProperties: inputs, RequiredInputs: required, Properties: one.Properties.Outputs(),
		}
	}
	for token, one := range s.Functions {
		inputs, required := one.Inputs.Inputs()
		document.Functions[token] = schema.FunctionDocument{
			Inputs:  map[string]any{"type": "object", "properties": inputs, "required": required},
			Outputs: map[string]any{"type": "object", "properties": one.Outputs.Outputs()},
		}
	}
	raw, err := json.Marshal(document)
	return plugin.GetSchemaResponse{Schema: raw}, err
}

func (s *server) GetMapping(context.Context, plugin.GetMappingRequest) (plugin.GetMappingResponse, error) {
	return plugin.GetMappingResponse{}, nil
}

func (s *server) GetMappings(context.Context, plugin.GetMappingsRequest) (plugin.GetMappingsResponse, error) {
	return plugin.GetMappingsResponse{}, nil
}
