package talos

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/siderolabs/grpc-proxy/proxy"
	"github.com/siderolabs/talos/pkg/machinery/constants"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// apid serves the machine's API on the network. It authenticates callers and forwards calls to this machine's machined
// or to other machines' apid.
type apid struct {
	server *grpc.Server
	router *router
}

// identity holds apid's certificates.
type identity struct {
	// server is the server certificate.
	server tls.Certificate
	// accepted are the authorities of client certificates. It is nil in maintenance mode, where clients have none.
	accepted *x509.CertPool
	// client is the certificate for calls to other machines. Only control planes have one.
	client *tls.Certificate
}

// listenAPI listens on a port of this machine. It waits briefly for the previous listener to close.
func listenAPI(ctx context.Context, address netip.Addr, port int) (net.Listener, error) {
	endpoint := net.JoinHostPort(address.String(), strconv.Itoa(port))
	for deadline := time.Now().Add(5 * time.Second); ; {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", endpoint)
		if err == nil || time.Now().After(deadline) || ctx.Err() != nil {
			if err != nil {
				err = fmt.Errorf("%s is taken; end what uses it, for example an older lab: %w", endpoint, err)
			}
			return listener, err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// startAPID serves until stop. In maintenance mode callers are readers and calls are not forwarded to other machines.
func startAPID(ctx context.Context, address netip.Addr, who identity, local proxy.Backend) (*apid, error) {
	listener, err := listenAPI(ctx, address, constants.ApidPort)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{
		Certificates: []tls.Certificate{who.server}, MinVersion: tls.VersionTLS13, NextProtos: []string{"h2"},
	}
	roles := everybodyReads
	if who.accepted != nil {
		config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, who.accepted
		roles = rolesFromCertificate
	}
	r := &router{local: local, localOnly: who.accepted == nil, client: who.client, accepted: who.accepted, remotes: map[string]*remote{}}
	options := append(withRoles(roles),
		grpc.Creds(credentials.NewTLS(config)),
		grpc.ForceServerCodecV2(proxy.Codec()),
		grpc.UnknownServiceHandler(proxy.TransparentHandler(r.direct, proxy.WithStreamedDetector(streamed))),
		grpc.MaxRecvMsgSize(constants.GRPCMaxMessageSize),
	)
	a := &apid{server: grpc.NewServer(options...), router: r}
	go func() {
		if err := a.server.Serve(listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			log.Printf("apid: %v", err)
		}
	}()
	return a, nil
}

// stop waits briefly for calls under way.
func (a *apid) stop() {
	if a == nil {
		return
	}
	stopServer(a.server)
	a.router.close()
}

func stopServer(server *grpc.Server) {
	var once sync.Once
	timer := time.AfterFunc(2*time.Second, func() { once.Do(server.Stop) })
	server.GracefulStop()
	timer.Stop()
}
