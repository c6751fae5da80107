package standin

import (
	"context"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"

	"hearth.dev/lab/plugins/internal/schema"
)

// engines are keys that the engine adds to a provider's configuration.
var engines = []resource.PropertyKey{"version", "pluginDownloadURL", "pluginChecksums", "__internal"}

func withoutEngines(config resource.PropertyMap) resource.PropertyMap {
	own := resource.PropertyMap{}
	for key, value := range config {
		if !slices.Contains(engines, key) {
			own[key] = value
		}
	}
	return own
}

func (s *server) CheckConfig(_ context.Context, req plugin.CheckConfigRequest) (plugin.CheckConfigResponse, error) {
	return plugin.CheckConfigResponse{
		Properties: req.News, Failures: failures(s.Config.Check(withoutEngines(req.News))),
	}, nil
}

func (s *server) DiffConfig(_ context.Context, req plugin.DiffConfigRequest) (plugin.DiffConfigResponse, error) {
	before := withoutEngines(req.OldInputs)
	return diffResult(s.Config.Diff(before, before, withoutEngines(req.NewInputs))), nil
}

func (s *server) Configure(_ context.Context, req plugin.ConfigureRequest) (plugin.ConfigureResponse, error) {
	if s.Plugin.Configure == nil {
		return plugin.ConfigureResponse{}, nil
	}
	config := schema.Known(withoutEngines(req.Inputs))
	for key, value := range config {
		if value.IsComputed() {
			delete(config, key)
		}
	}
	return plugin.ConfigureResponse{}, s.Plugin.Configure(config)
}

func failures(found []schema.Failure) []plugin.CheckFailure {
	var all []plugin.CheckFailure
	for _, one := range found {
		all = append(all, plugin.CheckFailure{Property: resource.PropertyKey(one.Property), Reason: one.Reason})
	}
	return all
}

func diffResult(changes map[string]plugin.PropertyDiff) plugin.DiffResult {
	result := plugin.DiffResult{Changes: plugin.DiffNone}
	if len(changes) > 0 {
		result.Changes, result.DetailedDiff = plugin.DiffSome, changes
	}
	return result
}
