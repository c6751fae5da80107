package pods

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"

	"hearth.dev/lab/internal/child"
	"hearth.dev/lab/internal/labconfig"
)

// stageFiles are kwok's own stages for a pod that becomes ready, completes and is deleted, without delays.
var stageFiles = []string{"pod-ready.yaml", "pod-complete.yaml", "pod-delete.yaml"}

// noNodeStage never matches, because every node has a name. kwok manages pods only if it has a stage for nodes.
const noNodeStage = `apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata:
  name: node-never
spec:
  resourceRef:
    apiGroup: v1
    kind: Node
  selector:
    matchExpressions:
    - key: .metadata.name
      operator: DoesNotExist
  next: {}
`

// startKwok starts kwok for the pods without a real program. kwok changes no node and renews no lease, which the
// machines do.
func startKwok(ctx context.Context, lab *labconfig.Lab, kubeconfig string, known programs) error {
	if lab.Programs["kwok"] == "" || lab.Data["kwok"] == "" {
		return errors.New("the lab's configuration lacks programs.kwok or data.kwok")
	}
	stages, err := kwokStages(lab.Data["kwok"], known)
	if err != nil {
		return err
	}
	home := lab.Path("kwok")
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	file := filepath.Join(home, "stages.yaml")
	if err := replace(file, stages); err != nil {
		return err
	}
	_, err = child.Start(ctx, child.Spec{
		Name: "kwok",
		Path: lab.Programs["kwok"],
		Args: []string{
			"--kubeconfig=" + kubeconfig, "--config=" + file, "--manage-all-nodes=true",
			"--node-lease-duration-seconds=0", "--server-address=", "--node-port=0",
		},
		Env:     []string{"HOME=" + home, "PATH=/usr/bin:/bin"},
		Log:     lab.Path("logs", "kwok.log"),
		Restart: child.Always,
	})
	return err
}

// kwokStages returns the stages, each with the condition that the runner knows none of the pod's images. A pod has its
// images from its creation, so kwok and the runner never both manage it.
func kwokStages(module string, known programs) ([]byte, error) {
	all := []string{noNodeStage}
	for _, name := range stageFiles {
		file := filepath.Join(module, "kustomize", "stage", "pod", "fast", name)
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var stage map[string]any
		if err := yaml.Unmarshal(raw, &stage); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		spec, _ := stage["spec"].(map[string]any)
		selector, _ := spec["selector"].(map[string]any)
		expressions, _ := selector["matchExpressions"].([]any)
		if len(expressions) == 0 {
			return nil, fmt.Errorf("%s is not a stage as kwok 0.8 has it", file)
		}
		selector["matchExpressions"] = append(expressions, map[string]any{
			"key":      fmt.Sprintf(".spec.containers.[] | select( .image | test(%q) ) | .name", known.imagePattern()),
			"operator": "DoesNotExist",
		})
		document, err := yaml.Marshal(stage)
		if err != nil {
			return nil, err
		}
		all = append(all, string(document))
	}
	return []byte(strings.Join(all, "---\n")), nil
}
