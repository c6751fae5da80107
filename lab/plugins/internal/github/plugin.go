// Package github stands in for the parts of the vendor's GitHub plugin that Hearth uses, with the same tokens, inputs,
// outputs, IDs and API calls. Source: pulumi-github 6.15 and the Terraform provider below it, integrations/github.
package github

import (
	"hearth.dev/lab/plugins/internal/schema"
	"hearth.dev/lab/plugins/internal/standin"
)

// Version is the release that this plugin stands in for.
const Version = "6.15.0"

// Plugin describes the plugin.
func Plugin() standin.Plugin {
	api := &client{}
	return standin.Plugin{
		Name: "github", Version: Version,
		Config: schema.Properties{
			"baseUrl": {Kind: schema.String},
			"owner":   {Kind: schema.String},
			"token":   {Kind: schema.String, Secret: true},
		},
		Configure: api.configure,
		Resources: map[string]standin.Resource{
			"github:index/repositoryDeployKey:RepositoryDeployKey": deployKeyResource(api),
			"github:index/repositoryWebhook:RepositoryWebhook":     webhookResource(api),
		},
		Functions: map[string]standin.Function{
			"github:index/getRepositoryDeployKeys:getRepositoryDeployKeys": getDeployKeys(api),
			"github:index/getRepositoryWebhooks:getRepositoryWebhooks":     getWebhooks(api),
		},
	}
}
