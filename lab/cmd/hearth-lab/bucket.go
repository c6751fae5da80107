package main

import (
	"context"

	"hearth.dev/lab/internal/bucket"
	"hearth.dev/lab/internal/labconfig"
)

func init() { commands["bucket"] = runBucket }

// runBucket serves the S3 bucket that volumes are backed up to.
func runBucket(_ context.Context, lab *labconfig.Lab, _ []string) error {
	return bucket.Run(lab)
}
