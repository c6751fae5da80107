// Command pulumi-resource-cloudflare stands in for the vendor's Cloudflare plugin where that plugin is not available.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/cmdutil"

	"hearth.dev/lab/plugins/internal/cloudflare"
	"hearth.dev/lab/plugins/internal/standin"
)

func main() {
	if err := standin.Serve(cloudflare.Plugin()); err != nil {
		cmdutil.ExitError(err.Error())
	}
}
