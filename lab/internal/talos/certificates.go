package talos

import (
	"context"
	"crypto/tls"
	stdx509 "crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/siderolabs/crypto/x509"
	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/role"
)

// maintenanceIdentity is a certificate of an unknown authority. Every boot creates a new one.
func maintenanceIdentity(address netip.Addr) (identity, error) {
	ca, err := x509.NewSelfSignedCertificateAuthority(x509.Organization("talos"), x509.NotAfter(time.Now().Add(365*24*time.Hour)))
	if err != nil {
		return identity{}, err
	}
	pair, err := x509.NewKeyPair(ca, serverOptions(time.Now(), "maintenance-service.talos.dev", []string{"maintenance-service.talos.dev", address.String()})...)
	if err != nil {
		return identity{}, err
	}
	return identity{server: *pair.Certificate}, nil
}

func serverOptions(now time.Time, name string, hosts []string) []x509.Option {
	ips, names := []net.IP{}, []string{}
	for _, host := range hosts {
		if address, err := netip.ParseAddr(host); err == nil {
			ips = append(ips, address.AsSlice())
		} else if host != "" {
			names = append(names, host)
		}
	}
	return []x509.Option{
		x509.CommonName(name), x509.IPAddresses(ips), x509.DNSNames(names),
		x509.NotBefore(now), x509.NotAfter(now.Add(x509.DefaultCertificateValidityDuration)),
		x509.KeyUsage(stdx509.KeyUsageDigitalSignature),
		x509.ExtKeyUsage([]stdx509.ExtKeyUsage{stdx509.ExtKeyUsageServerAuth}),
	}
}

// apiHosts are the names and addresses in the API's certificate.
func apiHosts(cfg config.Provider, hostname string, address netip.Addr, vips []netip.Addr) []string {
	hosts := append(slices.Clone(cfg.Machine().Security().CertSANs()), hostname, address.String(), "127.0.0.1")
	for _, vip := range vips {
		hosts = append(hosts, vip.String())
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// acceptedCAs are the authorities of the cluster's Talos API.
func acceptedCAs(cfg config.Provider) (pem [][]byte, pool *stdx509.CertPool) {
	pool = stdx509.NewCertPool()
	security := cfg.Machine().Security()
	for _, ca := range security.AcceptedCAs() {
		pem = append(pem, ca.Crt)
	}
	if ca := security.IssuingCA(); ca != nil && len(ca.Crt) > 0 {
		pem = append(pem, ca.Crt)
	}
	for _, each := range pem {
		pool.AppendCertsFromPEM(each)
	}
	return pem, pool
}

// controlPlaneIdentity signs with the authority's key, which control planes have. now is the machine's own time.
func controlPlaneIdentity(cfg config.Provider, now time.Time, hostname string, hosts []string) (identity, error) {
	ca, err := x509.NewCertificateAuthorityFromCertificateAndKey(cfg.Machine().Security().IssuingCA())
	if err != nil {
		return identity{}, fmt.Errorf("reading machine.ca: %w", err)
	}
	server, err := x509.NewKeyPair(ca, serverOptions(now, hostname, hosts)...)
	if err != nil {
		return identity{}, err
	}
	client, err := clientCertificate(ca, hostname, 24*time.Hour, role.MakeSet(role.Impersonator))
	if err != nil {
		return identity{}, err
	}
	_, accepted := acceptedCAs(cfg)
	return identity{server: *server.Certificate, accepted: accepted, client: client.Certificate}, nil
}

func clientCertificate(ca *x509.CertificateAuthority, name string, lifetime time.Duration, roles role.Set) (*x509.KeyPair, error) {
	return x509.NewKeyPair(ca,
		x509.CommonName(name), x509.Organization(roles.Strings()...), x509.NotAfter(time.Now().Add(lifetime)),
		x509.KeyUsage(stdx509.KeyUsageDigitalSignature),
		x509.ExtKeyUsage([]stdx509.ExtKeyUsage{stdx509.ExtKeyUsageClientAuth}),
	)
}

// workerIdentity asks a control plane to sign, because workers do not have the authority's key.
func workerIdentity(ctx context.Context, cfg config.Provider, hostname string, hosts, controlPlanes []string) (identity, error) {
	trusted, accepted := acceptedCAs(cfg)
	if len(trusted) == 0 {
		return identity{}, errors.New("machine.ca.crt is missing")
	}
	ca, err := (&x509.PEMEncodedCertificate{Crt: trusted[len(trusted)-1]}).GetCert()
	if err != nil {
		return identity{}, fmt.Errorf("reading machine.ca: %w", err)
	}
	request, pair, err := x509.NewCSRAndIdentityFromCA(ca, serverOptions(time.Now(), hostname, hosts)...)
	if err != nil {
		return identity{}, err
	}
	if pair.Crt, err = requestCertificate(ctx, cfg.Machine().Security().Token(), accepted, controlPlanes, request.X509CertificateRequestPEM); err != nil {
		return identity{}, err
	}
	server, err := tls.X509KeyPair(pair.Crt, pair.Key)
	if err != nil {
		return identity{}, err
	}
	return identity{server: server, accepted: accepted}, nil
}
