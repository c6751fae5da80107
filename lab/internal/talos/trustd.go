package talos

import (
	"bytes"
	"context"
	"crypto/subtle"
	"crypto/tls"
	stdx509 "crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/siderolabs/crypto/x509"
	"github.com/siderolabs/talos/pkg/machinery/api/security"
	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/constants"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// trustd signs the API certificates of workers that know the machine token. It runs on control planes.
type trustd struct {
	security.UnimplementedSecurityServiceServer
	// config returns the machine's active configuration.
	config func() config.Provider
}

// startTrustd serves on the machine's address until the boot ends.
func startTrustd(ctx context.Context, b *boot, certificate tls.Certificate) (*grpc.Server, error) {
	listener, err := listenAPI(ctx, b.machine.address, constants.TrustdPort)
	if err != nil {
		return nil, err
	}
	t := &trustd{config: b.config}
	server := grpc.NewServer(
		grpc.Creds(credentials.NewTLS(&tls.Config{
			Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS13, NextProtos: []string{"h2"},
		})),
		grpc.UnaryInterceptor(t.authenticate),
	)
	security.RegisterSecurityServiceServer(server, t)
	go server.Serve(listener) //nolint:errcheck // it ends with Stop
	return server, nil
}

func (t *trustd) authenticate(ctx context.Context, request any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	given := metadata.ValueFromIncomingContext(ctx, "token")
	wanted := t.config().Machine().Security().Token()
	if len(given) != 1 || subtle.ConstantTimeCompare([]byte(given[0]), []byte(wanted)) != 1 {
		return nil, status.Error(codes.Unauthenticated, "invalid token")
	}
	return next(ctx, request)
}

// Certificate signs a request for a server certificate. It removes the requested roles, which would make the
// certificate an administrator's.
func (t *trustd) Certificate(_ context.Context, in *security.CertificateRequest) (*security.CertificateResponse, error) {
	block, _ := pem.Decode(in.Csr)
	if block == nil {
		return nil, status.Error(codes.InvalidArgument, "failed to decode CSR")
	}
	if _, err := stdx509.ParseCertificateRequest(block.Bytes); err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "failed to parse CSR: %s", err)
	}
	cfg := t.config()
	ca := cfg.Machine().Security().IssuingCA()
	signed, err := x509.NewCertificateFromCSRBytes(ca.Crt, ca.Key, in.Csr,
		x509.KeyUsage(stdx509.KeyUsageDigitalSignature),
		x509.ExtKeyUsage([]stdx509.ExtKeyUsage{stdx509.ExtKeyUsageServerAuth}),
		x509.OverrideSubject(func(subject *pkix.Name) { subject.Organization = nil }),
	)
	if err != nil {
		return nil, status.Errorf(codes.Internal, "failed to sign CSR: %s", err)
	}
	trusted, _ := acceptedCAs(cfg)
	return &security.CertificateResponse{Ca: bytes.Join(trusted, nil), Crt: signed.X509CertificatePEM}, nil
}

// requestCertificate asks the control planes in turn to sign a request.
func requestCertificate(ctx context.Context, token string, accepted *stdx509.CertPool, controlPlanes []string, request []byte) ([]byte, error) {
	failure := errors.New("no control plane is known")
	for _, host := range controlPlanes {
		crt, err := requestFrom(ctx, host, token, accepted, request)
		if err == nil {
			return crt, nil
		}
		failure = fmt.Errorf("trustd of %s: %s", host, status.Convert(err).Message())
	}
	return nil, failure
}

func requestFrom(ctx context.Context, host, token string, accepted *stdx509.CertPool, request []byte) ([]byte, error) {
	connection, err := grpc.NewClient("passthrough:///"+net.JoinHostPort(host, strconv.Itoa(constants.TrustdPort)),
		grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: accepted, MinVersion: tls.VersionTLS13})),
		grpc.WithNoProxy(),
	)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(ctx, "token", token), 5*time.Second)
	defer cancel()
	answer, err := security.NewSecurityServiceClient(connection).Certificate(ctx, &security.CertificateRequest{Csr: request})
	return answer.GetCrt(), err
}
