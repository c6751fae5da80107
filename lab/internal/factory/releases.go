package factory

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// patches are the releases of Talos that the factory has, by minor: from .0 to this one. There are more than there are tags of
// siderolabs/talos: the lab makes images of any release, so also of those that come out after it, which somebody tries in it.
var patches = []struct {
	minor string
	last  int
}{{"v1.12", 40}, {"v1.13", 40}}

// extensionNames are the names of the official extensions by minor. components/talos/releases has the same, with their source.
//
//go:embed extensions/*.txt
var extensionNames embed.FS

// releases are the versions that the factory has, oldest first.
func releases() []string {
	var all []string
	for _, each := range patches {
		for patch := range each.last + 1 {
			all = append(all, each.minor+"."+strconv.Itoa(patch))
		}
	}
	return all
}

// extensionInfo describes an extension. Source: siderolabs/image-factory 1.5.0, pkg/client/client.go, ExtensionInfo.
type extensionInfo struct {
	Name        string `json:"name"`
	Ref         string `json:"ref"`
	Digest      string `json:"digest"`
	Author      string `json:"author"`
	Description string `json:"description"`
}

// officialExtensions are the extensions for a release. The lab does not know the releases of extensions, so they have
// Talos's own, and invented digests. The errors are those of siderolabs/image-factory 1.5.0, internal/frontend/http/meta.go,
// handleOfficialExtensions, and internal/artifacts/manager.go, validateTalosVersion.
func officialExtensions(of string) ([]extensionInfo, error) {
	parts := version.FindStringSubmatch(of)
	if parts == nil {
		return nil, &refusal{status: 500, text: "error parsing version"}
	}
	release := "v" + parts[1]
	if !slices.Contains(releases(), release) {
		return nil, &refusal{status: 404, text: fmt.Sprintf("version %s is not available", parts[1])}
	}
	minor := release[:strings.LastIndex(release, ".")]
	content, err := extensionNames.ReadFile("extensions/" + minor + ".txt")
	if err != nil {
		return nil, err
	}
	var all []extensionInfo
	for _, name := range strings.Fields(string(content)) {
		ref := "ghcr.io/" + name + ":" + release
		sum := sha256.Sum256([]byte(ref))
		all = append(all, extensionInfo{
			Name: name, Ref: ref, Digest: "sha256:" + hex.EncodeToString(sum[:]), Author: "Sidero Labs", Description: path.Base(name),
		})
	}
	return all, nil
}
