// Package bucket is the S3 service that the lab's volumes are backed up to: Versity's gateway, which stores in a
// folder.
package bucket

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"hearth.dev/lab/internal/atomicfile"
	"hearth.dev/lab/internal/authority"
	"hearth.dev/lab/internal/labconfig"
)

// Run creates the bucket and replaces this process by the gateway, since the supervisor checks and ends the process
// that it started.
func Run(lab *labconfig.Lab) error {
	gateway := lab.Programs["versitygw"]
	if gateway == "" {
		return fmt.Errorf("%s lacks programs.versitygw", lab.File)
	}
	data, metadata := lab.Path("bucket", "data"), lab.Path("bucket", "metadata")
	for _, folder := range []string{filepath.Join(data, lab.Bucket.Name), metadata} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return err
		}
	}
	certificate, key := lab.Path("bucket", "tls.crt"), lab.Path("bucket", "tls.key")
	if err := issue(lab, certificate, key); err != nil {
		return err
	}
	arguments := []string{
		gateway, "--port", lab.Bucket.Address, "--cert", certificate, "--key", key, "--region", lab.Bucket.Region, "--quiet",
		"posix", "--sidecar", metadata, data,
	}
	err := syscall.Exec(gateway, arguments, []string{
		"HOME=" + lab.Path("bucket"), "PATH=/usr/bin:/bin",
		"ROOT_ACCESS_KEY=" + lab.Bucket.AccessKey, "ROOT_SECRET_KEY=" + lab.Bucket.SecretKey,
	})
	return fmt.Errorf("starting %s: %w", gateway, err)
}

// issue writes a certificate of the lab's authority for the service, with its key.
func issue(lab *labconfig.Lab, certificate, key string) error {
	address, _, err := net.SplitHostPort(lab.Bucket.Address)
	if err != nil {
		return fmt.Errorf("bucket.address %q is not host:port: %w", lab.Bucket.Address, err)
	}
	ca, err := authority.Open(lab.Dir)
	if err != nil {
		return err
	}
	pair, err := ca.Issue(lab.Bucket.Host, address)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		return err
	}
	if err := atomicfile.Write(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600); err != nil {
		return err
	}
	return atomicfile.Write(certificate, chain(pair), 0o644)
}

func chain(pair *tls.Certificate) []byte {
	var all []byte
	for _, der := range pair.Certificate {
		all = append(all, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return all
}
