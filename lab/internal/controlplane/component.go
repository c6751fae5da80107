package controlplane

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/siderolabs/crypto/x509"
)

// component is a program of the control plane, with its arguments and files.
type component struct {
	name string
	// image is the image that the configuration asks for. Its tag is the release that the program reports.
	image string
	// dir is the folder of the program's files.
	dir   string
	flags []string
	env   []string
	// files maps names to contents.
	files map[string][]byte
	// certificates are issued when the files are written, by file name without extension.
	certificates map[string]certificate
	// kubeconfigs are issued in the same way.
	kubeconfigs map[string]kubeconfigRequest
	// endpoint is the cluster's. With another one Talos issues the secrets of static pods anew, and the pods restart. Source:
	// siderolabs/talos v1.13.9, internal/app/machined/pkg/controllers/secrets/kubernetes.go, and render_secrets_static_pod.go of k8s.
	endpoint string
}

type certificate struct {
	ca *x509.PEMEncodedCertificateAndKey
	to identity
}

type kubeconfigRequest struct {
	ca     string
	render func() ([]byte, error)
}

func (c *component) path(name string) string { return filepath.Join(c.dir, name) }

// fingerprint changes if the program would see a change, other than a renewed certificate.
func (c *component) fingerprint() string {
	certificates := map[string]string{}
	for name, certificate := range c.certificates {
		certificates[name] = fmt.Sprintf("%s %+v", certificate.ca.Crt, certificate.to)
	}
	requests := map[string]string{}
	for name, request := range c.kubeconfigs {
		requests[name] = request.ca
	}
	text, err := json.Marshal([]any{c.image, c.flags, c.env, c.files, certificates, requests, c.endpoint})
	if err != nil {
		panic(err) // only strings and bytes are in it
	}
	return fmt.Sprintf("%x", sha256.Sum256(text))
}

// write writes the component's files. Only the owner can read them, because most hold keys.
func (c *component) write() error {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	files := maps.Clone(c.files)
	for name, request := range c.certificates {
		pair, err := issue(request.ca, request.to)
		if err != nil {
			return err
		}
		files[name+".crt"], files[name+".key"] = pair.Crt, pair.Key
	}
	for name, request := range c.kubeconfigs {
		content, err := request.render()
		if err != nil {
			return err
		}
		files[name] = content
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := writeFile(c.path(name), files[name]); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

// writeFile replaces a whole file.
func writeFile(path string, content []byte) error {
	temporary := path + ".new"
	if err := os.WriteFile(temporary, content, 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}
