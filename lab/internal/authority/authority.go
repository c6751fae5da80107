// Package authority is the lab's certificate authority, which signs the certificates of the simulated outside world.
package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"hearth.dev/lab/internal/atomicfile"
)

// Authority issues server certificates that are valid as long as the lab exists.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// File returns the path of the CA certificate below the lab's folder. Programs trust it through SSL_CERT_FILE.
func File(dir string) string { return filepath.Join(dir, "ca", "ca.crt") }

// Open loads the authority from dir, or creates one.
func Open(dir string) (*Authority, error) {
	crt, key := File(dir), filepath.Join(dir, "ca", "ca.key")
	pair, err := tls.LoadX509KeyPair(crt, key)
	if errors.Is(err, fs.ErrNotExist) {
		return create(crt, key)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the lab's certificate authority: %w", err)
	}
	certificate, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return nil, err
	}
	private, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s does not hold an ECDSA key", key)
	}
	return &Authority{certificate, private}, nil
}

func create(crt, key string) (*Authority, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "Hearth lab"},
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return nil, err
	}
	encoded, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(crt), 0o700); err != nil {
		return nil, err
	}
	if err := atomicfile.Write(key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: encoded}), 0o600); err != nil {
		return nil, err
	}
	if err := atomicfile.Write(crt, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644); err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	return &Authority{certificate, private}, err
}

// Issue creates a server certificate for host names and addresses.
func (a *Authority) Issue(hosts ...string) (*tls.Certificate, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: hosts[0]},
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(5, 0, 0),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, private.Public(), a.key)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der, a.certificate.Raw}, PrivateKey: private}, nil
}

// ServerTLS returns a TLS configuration for a server with the given host names.
func (a *Authority) ServerTLS(hosts ...string) (*tls.Config, error) {
	certificate, err := a.Issue(hosts...)
	if err != nil {
		return nil, err
	}
	return &tls.Config{Certificates: []tls.Certificate{*certificate}, MinVersion: tls.VersionTLS12}, nil
}
