// Package factory simulates the Image Factory. It knows only the schematics that have been posted, and their images.
package factory

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"hearth.dev/lab/internal/atomicfile"
	"hearth.dev/lab/internal/labconfig"
)

// Host is the simulator's host name.
const Host = "factory.talos.dev"

// Factory stores schematics as files, so that all of the lab's programs know those that were posted to one of them.
type Factory struct {
	folder string
}

// Open returns the factory of a lab.
func Open(lab *labconfig.Lab) *Factory {
	return &Factory{folder: lab.Path("factory")}
}

var idForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Knows reports whether a schematic was posted.
func (f *Factory) Knows(id string) bool {
	if !idForm.MatchString(id) {
		return false
	}
	if id == plain {
		return true
	}
	_, err := os.Stat(f.path(id))
	return err == nil
}

// Unknown is the factory's error for a schematic that was not posted.
func Unknown(id string) string { return fmt.Sprintf("schematic ID %q not found", id) }

// Pull refuses the installer image of an unknown schematic.
func (f *Factory) Pull(image, schematic string) error {
	if schematic == "" || f.Knows(schematic) {
		return nil
	}
	return NotFound(image)
}

// NotFound is containerd's error for an image that its registry does not have, as Talos passes it on. Source:
// siderolabs/talos v1.13.9, internal/pkg/containers/image/image.go, Pull; containerd's "failed to resolve reference".
func NotFound(image string) error {
	return fmt.Errorf("failed to pull image %q: failed to resolve reference %q: %s: %w", image, image, image, ErrNotFound)
}

// ErrNotFound is containerd's.
var ErrNotFound = errors.New("not found")

func (f *Factory) path(id string) string { return filepath.Join(f.folder, id+".yaml") }

// post stores a schematic and returns its ID and normal form.
func (f *Factory) post(document []byte) (id string, normalized []byte, err error) {
	id, normalized, err = normalize(document)
	if err != nil {
		return "", nil, &refusal{status: 400, text: err.Error()}
	}
	if err := os.MkdirAll(f.folder, 0o700); err != nil {
		return "", nil, err
	}
	return id, normalized, atomicfile.Write(f.path(id), normalized, 0o600)
}

// get returns the normal form of a posted schematic.
func (f *Factory) get(id string) ([]byte, error) {
	if id == plain {
		return []byte("customization: {}\n"), nil
	}
	if !idForm.MatchString(id) {
		return nil, &refusal{status: 404, text: "schematic not found"}
	}
	document, err := os.ReadFile(f.path(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &refusal{status: 404, text: "schematic not found"}
	}
	return document, err
}

// refusal is an error answer.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return r.text }

// Status is the HTTP status for an error.
func Status(err error) int {
	var no *refusal
	if errors.As(err, &no) {
		return no.status
	}
	return 500
}
