// Command pulumi-resource-random stands in for the vendor's random plugin where that plugin is not available.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/cmdutil"

	"hearth.dev/lab/plugins/internal/random"
	"hearth.dev/lab/plugins/internal/standin"
)

func main() {
	if err := standin.Serve(random.Plugin()); err != nil {
		cmdutil.ExitError(err.Error())
	}
}
