package main

import (
	"context"

	"hearth.dev/lab/internal/labconfig"
	"hearth.dev/lab/internal/pods"
)

func init() { commands["pods"] = runPods }

// runPods runs the pods of the cluster that --kubeconfig administers.
func runPods(ctx context.Context, lab *labconfig.Lab, args []string) error {
	return pods.Run(ctx, lab, args)
}
