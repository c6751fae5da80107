// Package info maps bpg's Terraform provider to the tokens of the published Pulumi plugin for Proxmox VE.
package info

import (
	"context"
	"strings"

	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"

	"github.com/bpg/terraform-provider-proxmox/fwprovider"
	"github.com/bpg/terraform-provider-proxmox/proxmoxtf/provider"
)

const (
	// Version is the version of the published plugin that has these tokens, muhlba91/pulumi-proxmoxve.
	Version = "8.6.0"
	// upstream is the release of the Terraform provider in that plugin.
	upstream = "0.111.1"

	pluginName   = "proxmoxve"
	repository   = "https://github.com/bpg/terraform-provider-proxmox"
	legacyPrefix = "proxmox_virtual_environment_"
	prefix       = "proxmox_"
)

// unmapped are resources with integer identifiers, which the bridge does not support. Hearth uses none of them.
var unmapped = []string{"proxmox_vm", "proxmox_cloned_vm", legacyPrefix + "vm2", legacyPrefix + "cloned_vm"}

// Provider describes the plugin, with the metadata that the schema command generated.
func Provider(metadata []byte) tfbridge.ProviderInfo {
	ctx := context.Background()
	info := tfbridge.ProviderInfo{
		P:              pf.MuxShimWithPF(ctx, shimv2.NewProvider(provider.ProxmoxVirtualEnvironment()), fwprovider.New(upstream)()),
		Name:           "proxmox",
		Version:        Version,
		GitHubOrg:      "bpg",
		Repository:     repository,
		License:        "MPL-2.0",
		MetadataInfo:   tfbridge.NewProviderMetadata(metadata),
		IgnoreMappings: unmapped,
		Resources:      map[string]*tfbridge.ResourceInfo{},
		DataSources:    map[string]*tfbridge.DataSourceInfo{},
	}
	info.P.ResourcesMap().Range(func(name string, resource shim.Resource) bool {
		module, typeName := token(name)
		info.Resources[name] = &tfbridge.ResourceInfo{Tok: tfbridge.MakeResource(pluginName, module, typeName)}
		if id, ok := resource.Schema().GetOk("id"); ok && (id.Required() || id.Optional()) {
			exposeID(info.Resources[name])
		}
		return true
	})
	info.P.DataSourcesMap().Range(func(name string, _ shim.Resource) bool {
		module, typeName := token(name)
		info.DataSources[name] = &tfbridge.DataSourceInfo{Tok: tfbridge.MakeDataSource(pluginName, module, "get"+typeName)}
		return true
	})
	for _, name := range unmapped {
		delete(info.Resources, name)
	}
	info.SetAutonaming(255, "-")
	return info
}

// exposeID makes a resource's identifier an input, resourceId.
func exposeID(resource *tfbridge.ResourceInfo) {
	resource.Fields = map[string]*tfbridge.SchemaInfo{"id": {Name: "resourceId"}}
	resource.ComputeID = tfbridge.DelegateIDField("resourceId", pluginName, repository)
}

// token returns the module path and the type name for a Terraform name. The last word is the type, and the words before it are
// the path. Names with the old prefix get the suffix "Legacy".
func token(name string) (module, typeName string) {
	rest, suffix := strings.TrimPrefix(name, prefix), ""
	if strings.HasPrefix(name, legacyPrefix) {
		rest, suffix = strings.TrimPrefix(name, legacyPrefix), "Legacy"
	}
	words := strings.Split(rest, "_")
	last := words[len(words)-1]
	module = strings.Join(words[:len(words)-1], "/")
	if module == "" {
		module = "index"
	}
	return module, strings.ToUpper(last[:1]) + last[1:] + suffix
}
