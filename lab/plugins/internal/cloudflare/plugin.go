// Package cloudflare stands in for the parts of the vendor's Cloudflare plugin that Hearth uses, with the same tokens,
// inputs, outputs, IDs and API calls.
package cloudflare

import (
	"hearth.dev/lab/plugins/internal/schema"
	"hearth.dev/lab/plugins/internal/standin"
)

// Version is the release that this plugin stands in for; the npm package asks for it.
const Version = "6.22.1"

// Plugin describes the plugin.
func Plugin() standin.Plugin {
	api := &client{}
	return standin.Plugin{
		Name: "cloudflare", Version: Version,
		Config: schema.Properties{
			"apiKey":                  {Kind: schema.String, Secret: true},
			"apiToken":                {Kind: schema.String, Secret: true},
			"apiUserServiceKey":       {Kind: schema.String, Secret: true},
			"baseUrl":                 {Kind: schema.String},
			"email":                   {Kind: schema.String},
			"userAgentOperatorSuffix": {Kind: schema.String},
		},
		Configure: api.configure,
		Resources: map[string]standin.Resource{
			"cloudflare:index/dnsRecord:DnsRecord":                                               recordResource(api),
			"cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared":             tunnelResource(api),
			"cloudflare:index/zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig": tunnelConfigResource(api),
		},
		Functions: map[string]standin.Function{
			"cloudflare:index/getAccount:getAccount":                                                 getAccount(api),
			"cloudflare:index/getAccounts:getAccounts":                                               getAccounts(api),
			"cloudflare:index/getDnsRecords:getDnsRecords":                                           getRecords(api),
			"cloudflare:index/getZeroTrustTunnelCloudflareds:getZeroTrustTunnelCloudflareds":         getTunnels(api),
			"cloudflare:index/getZeroTrustTunnelCloudflaredToken:getZeroTrustTunnelCloudflaredToken": getTunnelToken(api),
			"cloudflare:index/getZone:getZone":                                                       getZone(api),
			"cloudflare:index/getZones:getZones":                                                     getZones(api),
		},
	}
}
