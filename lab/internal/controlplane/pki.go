package controlplane

import (
	"crypto/ecdsa"
	"crypto/rsa"
	stdx509 "crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/siderolabs/crypto/x509"
)

// certificateLifetime is the lifetime of Kubernetes certificates that Talos renews.
const certificateLifetime = 365 * 24 * time.Hour

// identity is a certificate's subject and usage.
type identity struct {
	commonName   string
	organization string
	hosts        []string
	server       bool
	client       bool
}

// issue creates a certificate and its key, signed by ca.
func issue(ca *x509.PEMEncodedCertificateAndKey, who identity) (*x509.PEMEncodedCertificateAndKey, error) {
	authority, err := x509.NewCertificateAuthorityFromCertificateAndKey(ca)
	if err != nil {
		return nil, fmt.Errorf("reading the authority that signs %s: %w", who.commonName, err)
	}
	ips, names := splitHosts(who.hosts)
	usages := []stdx509.ExtKeyUsage{}
	if who.server {
		usages = append(usages, stdx509.ExtKeyUsageServerAuth)
	}
	if who.client {
		usages = append(usages, stdx509.ExtKeyUsageClientAuth)
	}
	options := []x509.Option{
		x509.CommonName(who.commonName),
		x509.NotBefore(time.Now().Add(-10 * time.Second)), x509.NotAfter(time.Now().Add(certificateLifetime)),
		x509.KeyUsage(stdx509.KeyUsageDigitalSignature | stdx509.KeyUsageKeyEncipherment),
		x509.ExtKeyUsage(usages), x509.IPAddresses(ips), x509.DNSNames(names),
	}
	if who.organization != "" {
		options = append(options, x509.Organization(who.organization))
	}
	pair, err := x509.NewKeyPair(authority, options...)
	if err != nil {
		return nil, fmt.Errorf("signing a certificate for %s: %w", who.commonName, err)
	}
	return x509.NewCertificateAndKeyFromKeyPair(pair), nil
}

func splitHosts(hosts []string) (ips []net.IP, names []string) {
	for _, host := range hosts {
		if address, err := netip.ParseAddr(host); err == nil {
			ips = append(ips, address.AsSlice())
		} else if host != "" {
			names = append(names, host)
		}
	}
	return ips, names
}

// unique sorts hosts and removes empty and repeated ones.
func unique(hosts []string) []string {
	sorted := slices.Clone(hosts)
	slices.Sort(sorted)
	return slices.DeleteFunc(slices.Compact(sorted), func(host string) bool { return host == "" })
}

// publicKey returns the public half of a PEM private key, PEM encoded.
func publicKey(private []byte) ([]byte, error) {
	block, _ := pem.Decode(private)
	if block == nil {
		return nil, fmt.Errorf("cluster.serviceAccount.key is not PEM")
	}
	var public any
	if key, err := stdx509.ParseECPrivateKey(block.Bytes); err == nil {
		public = key.Public()
	} else if key, err := stdx509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		public = key.Public()
	} else if key, err := stdx509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		switch key := key.(type) {
		case *ecdsa.PrivateKey:
			public = key.Public()
		case *rsa.PrivateKey:
			public = key.Public()
		}
	}
	if public == nil {
		return nil, fmt.Errorf("cluster.serviceAccount.key is neither an EC nor an RSA key")
	}
	der, err := stdx509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}
