// Package info maps Siderolabs' Terraform provider to the tokens of the published Pulumi plugin for Talos.
package info

import (
	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/siderolabs/terraform-provider-talos/pkg/talos"
)

// Version is the version of the Terraform provider, which is also that of the published plugin.
const Version = "0.8.0"

// Provider describes the plugin. Its tokens are those of pulumiverse/pulumi-talos 0.8.
func Provider() tfbridge.ProviderInfo {
	resource := func(module, name string) *tfbridge.ResourceInfo {
		return &tfbridge.ResourceInfo{Tok: tfbridge.MakeResource("talos", module, name)}
	}
	function := func(module, name string) *tfbridge.DataSourceInfo {
		return &tfbridge.DataSourceInfo{Tok: tfbridge.MakeDataSource("talos", module, name)}
	}
	return tfbridge.ProviderInfo{
		P:            pf.ShimProvider(talos.New()),
		Name:         "talos",
		Version:      Version,
		GitHubOrg:    "siderolabs",
		Repository:   "https://github.com/siderolabs/terraform-provider-talos",
		License:      "MPL-2.0",
		MetadataInfo: tfbridge.NewProviderMetadata([]byte("{}")),
		Resources: map[string]*tfbridge.ResourceInfo{
			"talos_machine_secrets":             resource("machine", "Secrets"),
			"talos_machine_configuration_apply": resource("machine", "ConfigurationApply"),
			"talos_machine_bootstrap":           resource("machine", "Bootstrap"),
			"talos_cluster_kubeconfig":          resource("cluster", "Kubeconfig"),
			"talos_image_factory_schematic":     resource("imageFactory", "Schematic"),
		},
		DataSources: map[string]*tfbridge.DataSourceInfo{
			"talos_machine_configuration":             function("machine", "getConfiguration"),
			"talos_machine_disks":                     function("machine", "getDisks"),
			"talos_client_configuration":              function("client", "getConfiguration"),
			"talos_cluster_health":                    function("cluster", "getHealth"),
			"talos_cluster_kubeconfig":                function("cluster", "getKubeconfig"),
			"talos_image_factory_urls":                function("imageFactory", "getUrls"),
			"talos_image_factory_versions":            function("imageFactory", "getVersions"),
			"talos_image_factory_extensions_versions": function("imageFactory", "getExtensionsVersions"),
			"talos_image_factory_overlays_versions":   function("imageFactory", "getOverlaysVersions"),
		},
	}
}
