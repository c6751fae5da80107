// Command pulumi-resource-github stands in for the vendor's GitHub plugin where that plugin is not available.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/cmdutil"

	"hearth.dev/lab/plugins/internal/github"
	"hearth.dev/lab/plugins/internal/standin"
)

func main() {
	if err := standin.Serve(github.Plugin()); err != nil {
		cmdutil.ExitError(err.Error())
	}
}
