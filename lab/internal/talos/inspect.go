package talos

import (
	"context"
	_ "embed"
	"strings"

	"github.com/siderolabs/talos/pkg/machinery/api/inspect"
	"google.golang.org/protobuf/types/known/emptypb"
)

//go:embed controllers.txt
var controllers string

// edges are the signs of controllers.txt.
var edges = map[byte]inspect.DependencyEdgeType{
	'!': inspect.DependencyEdgeType_OUTPUT_EXCLUSIVE, '~': inspect.DependencyEdgeType_OUTPUT_SHARED,
	'+': inspect.DependencyEdgeType_INPUT_STRONG, '<': inspect.DependencyEdgeType_INPUT_WEAK,
	'-': inspect.DependencyEdgeType_INPUT_DESTROY_READY,
}

// inspectService tells which controllers of Talos read and write which resources.
type inspectService struct {
	inspect.UnimplementedInspectServiceServer
}

// ControllerRuntimeDependencies returns an edge for each resource that a controller reads or writes.
func (inspectService) ControllerRuntimeDependencies(context.Context, *emptypb.Empty) (*inspect.ControllerRuntimeDependenciesResponse, error) {
	namespaces := map[string]string{}
	for _, kind := range kinds {
		definition := kind.ResourceDefinition()
		namespaces[definition.Type] = definition.DefaultNamespace
	}
	answer := &inspect.ControllerRuntimeDependency{}
	for line := range strings.Lines(controllers) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] == "#" {
			continue
		}
		for _, field := range fields[1:] {
			answer.Edges = append(answer.Edges, &inspect.ControllerDependencyEdge{
				ControllerName: fields[0], EdgeType: edges[field[0]], ResourceType: field[1:], ResourceNamespace: namespaces[field[1:]],
			})
		}
	}
	return &inspect.ControllerRuntimeDependenciesResponse{Messages: []*inspect.ControllerRuntimeDependency{answer}}, nil
}
