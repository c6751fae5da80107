package main

import (
	"fmt"

	securefs "github.com/fluxcd/pkg/kustomize/filesys"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/openapi"
)

// kustomized builds a folder with the file system and the options of Flux's SecureBuild. SecureBuild parses Kubernetes' schema in
// every build, which takes most of its time. This function parses it again only after a build with a schema of its own.
func kustomized(root, folder string) (built resmap.ResMap, err error) {
	// Kustomize panics on some invalid objects.
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("kustomize panicked: %v", reason)
		}
	}()
	files, err := securefs.MakeFsOnDiskSecure(root)
	if err != nil {
		return nil, err
	}
	before := openapi.GetSchemaVersion()
	defer func() {
		if openapi.GetSchemaVersion() != before {
			openapi.ResetOpenAPI()
		}
	}()
	options := &krusty.Options{LoadRestrictions: types.LoadRestrictionsNone, PluginConfig: types.DisabledPluginConfig()}
	return krusty.MakeKustomizer(options).Run(files, folder)
}
