package talos

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"hearth.dev/lab/internal/factory"
	"hearth.dev/lab/internal/statefile"
)

// Namespaces of containerd. systemImages has the images of Talos' own services and installers, podImages those of pods. Both
// lie on EPHEMERAL. memoryImages is the containerd that lasts until the next boot.
const (
	systemImages = "system"
	podImages    = "k8s.io"
	memoryImages = "inmem"
)

// containerImage is an image in containerd.
type containerImage struct {
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
}

// digest and size are invented, but always the same for the same name.
func (i containerImage) digest() string {
	return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(i.Name)))
}

func (i containerImage) size() int64 {
	sum := sha256.Sum256([]byte(i.Name))
	return 8<<20 + int64(binary.BigEndian.Uint32(sum[:4]))%(120<<20)
}

// imageStore are the images in containerd, by namespace.
type imageStore struct {
	mu     sync.Mutex
	memory []containerImage
}

func (b *boot) imagesPath() string { return b.machine.disk.path("var", "images.json") }

// storedImages returns the images of the namespaces that were pulled.
func (b *boot) storedImages() (map[string][]containerImage, error) {
	all := map[string][]containerImage{}
	return all, statefile.Read(b.imagesPath(), &all, "delete it to start over")
}

// imagesIn returns the images in a namespace: those of what runs, and those that were pulled besides.
func (b *boot) imagesIn(namespace string) ([]containerImage, error) {
	b.images.mu.Lock()
	defer b.images.mu.Unlock()
	if namespace == memoryImages {
		return slices.Clone(b.images.memory), nil
	}
	stored, err := b.storedImages()
	if err != nil {
		return nil, err
	}
	all := stored[namespace]
	for _, name := range b.imagesInUse(namespace) {
		if !hasImage(all, name) {
			all = append(all, containerImage{Name: name, Created: b.started})
		}
	}
	slices.SortFunc(all, func(x, y containerImage) int { return strings.Compare(x.Name, y.Name) })
	return all, nil
}

// imagesInUse are the images of the services and static pods that the configuration asks for.
func (b *boot) imagesInUse(namespace string) []string {
	cfg := b.config()
	if cfg == nil {
		return nil
	}
	planes := cfg.Machine().Type().IsControlPlane()
	switch {
	case namespace == systemImages && planes:
		return []string{cfg.Machine().Kubelet().Image(), cfg.Cluster().Etcd().Image()}
	case namespace == systemImages:
		return []string{cfg.Machine().Kubelet().Image()}
	case planes:
		all := []string{pauseImage}
		for _, pod := range b.staticPods() {
			all = append(all, pod.Image)
		}
		return all
	}
	return []string{pauseImage}
}

// pauseImage is the sandbox image. Source: siderolabs/talos v1.13.9, pkg/images/list.go, DefaultSandboxImage.
const pauseImage = "registry.k8s.io/pause:3.10.1"

func hasImage(all []containerImage, name string) bool {
	return slices.ContainsFunc(all, func(each containerImage) bool { return each.Name == name })
}

// keepImage stores an image that was pulled.
func (b *boot) keepImage(namespace, name string) {
	b.images.mu.Lock()
	defer b.images.mu.Unlock()
	pulled := containerImage{Name: name, Created: time.Now()}
	if namespace == memoryImages {
		if !hasImage(b.images.memory, name) {
			b.images.memory = append(b.images.memory, pulled)
		}
		return
	}
	stored, err := b.storedImages()
	if err == nil && !hasImage(stored[namespace], name) {
		stored[namespace] = append(stored[namespace], pulled)
		err = statefile.Write(b.imagesPath(), stored)
	}
	if err != nil {
		b.machine.log.Printf("storing image %s: %v", name, err)
	}
}

// dropImage removes an image, and reports whether it was there.
func (b *boot) dropImage(namespace, name string) (bool, error) {
	b.images.mu.Lock()
	defer b.images.mu.Unlock()
	without := func(all []containerImage) []containerImage {
		return slices.DeleteFunc(all, func(each containerImage) bool { return each.Name == name })
	}
	if namespace == memoryImages {
		had := hasImage(b.images.memory, name)
		b.images.memory = without(b.images.memory)
		return had, nil
	}
	stored, err := b.storedImages()
	if err != nil || !hasImage(stored[namespace], name) {
		return false, err
	}
	stored[namespace] = without(stored[namespace])
	return true, statefile.Write(b.imagesPath(), stored)
}

// registryHas refuses an image that its registry does not have: an installer of a schematic that nobody posted, and what the
// file "missing-images" in the lab's folder lists. A line there is part of a reference, for example ":v1.13.8"; a test
// writes it.
func (m *Machine) registryHas(image string) error {
	content, _ := os.ReadFile(m.lab.Path("missing-images"))
	for _, part := range strings.Fields(string(content)) {
		if strings.Contains(image, part) {
			return factory.NotFound(image)
		}
	}
	if found, err := parseInstaller(image); err == nil {
		return factory.Open(m.lab).Pull(image, found.Schematic)
	}
	return nil
}
