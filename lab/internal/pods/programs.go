package pods

import (
	"cmp"
	"debug/buildinfo"
	"fmt"
	"log"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"hearth.dev/lab/internal/labconfig"
)

// searchPath is the PATH of programs.
const searchPath = "/usr/local/bin:/usr/bin:/bin"

// program is a real program that runs in place of an image's entry point.
type program struct {
	name string
	path string
	// args precede the pod's arguments.
	args []string
	// version is the module version from which the program was built, empty if the binary does not have it.
	version string
	// listens are the flags that take a listening address, with their default ports.
	listens map[string]string
	// fixed are flags that the lab sets whatever the pod says.
	fixed map[string]string
	// env are variables that the image or the lab needs.
	env map[string]string
	// commands are the image's further programs, by the path that a pod uses.
	commands map[string]*program
}

// called returns the program that a container's command refers to, and its first arguments.
func (p *program) called(command []string) (*program, []string, error) {
	if len(command) == 0 {
		return p, nil, nil
	}
	if other := p.commands[command[0]]; other != nil {
		return other, command[1:], nil
	}
	if len(p.commands) == 0 {
		return nil, nil, fmt.Errorf("the lab runs an image's own entry point only, not %q", command[0])
	}
	known := strings.Join(slices.Sorted(maps.Keys(p.commands)), ", ")
	return nil, nil, fmt.Errorf("the lab's image %s has %s, not %q", p.name, known, command[0])
}

// programs maps names to known programs.
type programs map[string]*program

func (p programs) String() string { return strings.Join(p.names(), ", ") }

func (p programs) names() []string { return slices.Sorted(maps.Keys(p)) }

// A controller derives the namespace of its lock from a file that exists only in a pod. Each controller has one
// replica, so it runs without leader election.
const leaderElection = "enable-leader-election"

// flux-operator has controllers look again after five seconds whether what an object depends on is ready. The tree is nine levels deep, so a new
// lab would mostly wait for that. Source: flux-operator v0.58.1, internal/builder/profiles.go.
const (
	requeueDependency = "requeue-dependency"
	dependencyPause   = "1s"
)

// catalogue describes each program. Sources: the flags in each controller's main.go, at the versions of Flux 2.9.
func catalogue(lab *labconfig.Lab) map[string]program {
	return map[string]program{
		"flux-operator": {
			listens: map[string]string{"metrics-addr": "8080", "health-addr": "8081"},
			fixed: map[string]string{
				leaderElection: "false",
				// The web server listens on every address, and its pages are not in the module.
				"web-server-port": "0",
				// The image has the distribution's manifests at /data.
				"storage-path": filepath.Join(lab.Data["flux-operator"], "config", "data"),
			},
			env: map[string]string{"GODEBUG": "fips140=on", "WEB_SERVER_PORT": "0"},
		},
		"source-controller": {
			listens: map[string]string{"metrics-addr": "8080", "health-addr": "9440", "storage-addr": "9090"},
			fixed:   map[string]string{leaderElection: "false"},
		},
		"kustomize-controller": {
			listens: map[string]string{"metrics-addr": "8080", "health-addr": "9440"},
			fixed:   map[string]string{leaderElection: "false", requeueDependency: dependencyPause},
		},
		"helm-controller": {
			listens: map[string]string{"metrics-addr": "8080", "health-addr": "9440"},
			fixed:   map[string]string{leaderElection: "false", requeueDependency: dependencyPause},
		},
		"notification-controller": {
			listens: map[string]string{"metrics-addr": "8080", "health-addr": "9440", "events-addr": "9090", "receiverAddr": "9292"},
			fixed:   map[string]string{leaderElection: "false"},
		},
		"volsync": volsyncImage(lab),
	}
}

// knownPrograms returns the programs of the catalogue for which the lab has a binary.
func knownPrograms(lab *labconfig.Lab) (programs, error) {
	if lab.VolumesHoldData() {
		if err := checkVolsync(lab); err != nil {
			return nil, err
		}
	}
	known := programs{}
	for name, p := range catalogue(lab) {
		path := lab.Programs[name]
		if path == "" {
			log.Printf("pods: the lab has no %s, so its pods only look alive", name)
			continue
		}
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("programs.%s: %w", name, err)
		}
		p.name, p.path, p.version = name, cmp.Or(p.path, path), moduleVersion(path, name)
		known[name] = &p
	}
	return known, nil
}

// moduleVersion returns the version of the module that is named like the program, empty if the binary does not have it.
// The main module is only a wrapper.
func moduleVersion(path, name string) string {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return ""
	}
	for _, module := range info.Deps {
		if strings.HasSuffix(module.Path, "/"+name) {
			return module.Version
		}
	}
	return ""
}

// imagePattern matches an image by the last element of its repository, in any registry and with any tag. jq uses the
// regular expression too, so it has no backslashes.
func (p programs) imagePattern() string {
	if len(p) == 0 {
		return "^$"
	}
	return "(^|/)(" + strings.Join(p.names(), "|") + ")(:[^/]*)?(@.*)?$"
}

// ofImage returns the program for an image, nil if the image is to be simulated.
func (p programs) ofImage(image string) *program {
	match := regexp.MustCompile(p.imagePattern()).FindStringSubmatch(image)
	if match == nil {
		return nil
	}
	return p[match[2]]
}

// imageTag returns an image's tag, empty if it has none.
func imageTag(image string) string {
	image, _, _ = strings.Cut(image, "@")
	_, tag, _ := strings.Cut(image[strings.LastIndex(image, "/")+1:], ":")
	return tag
}

// sameVersion compares an image's tag with a module's version, which always begins with v.
func sameVersion(tag, version string) bool {
	return strings.TrimPrefix(tag, "v") == strings.TrimPrefix(version, "v")
}
