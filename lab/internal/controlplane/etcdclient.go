package controlplane

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/netip"
	"time"

	"github.com/siderolabs/talos/pkg/machinery/constants"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

// EtcdClient returns a client of this machine's etcd member with Talos's certificate. The caller closes it.
func (c *ControlPlane) EtcdClient() (*clientv3.Client, error) {
	node, ok := c.current()
	if !ok {
		return nil, errors.New("etcd is not running")
	}
	return etcdClient(node, endpointOf(node.Address))
}

// MemberClient returns a client of a member by its client URLs. The caller closes it.
func (c *ControlPlane) MemberClient(endpoints []string) (*clientv3.Client, error) {
	node, ok := c.current()
	if !ok {
		return nil, errors.New("etcd is not running")
	}
	return etcdClient(node, endpoints...)
}

// PeersClient returns a client of the members on the other control planes. The caller closes it.
func (c *ControlPlane) PeersClient() (*clientv3.Client, error) {
	node, ok := c.current()
	if !ok {
		return nil, errors.New("etcd is not running")
	}
	return c.peersClient(node)
}

// peersClient returns a client of the members on the other control planes.
func (c *ControlPlane) peersClient(node Node) (*clientv3.Client, error) {
	var others []string
	for _, address := range c.options.Peers() {
		if address != node.Address {
			others = append(others, endpointOf(address))
		}
	}
	if len(others) == 0 {
		return nil, errNobody
	}
	return etcdClient(node, others...)
}

func endpointOf(address netip.Addr) string { return url(address, constants.EtcdClientPort) }

func etcdClient(node Node, endpoints ...string) (*clientv3.Client, error) {
	ca := node.Config.Cluster().Etcd().CA()
	pair, err := issue(ca, identity{commonName: "talos", client: true})
	if err != nil {
		return nil, err
	}
	certificate, err := tls.X509KeyPair(pair.Crt, pair.Key)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca.Crt)
	return clientv3.New(clientv3.Config{
		Endpoints: endpoints, DialTimeout: 5 * time.Second, Logger: zap.NewNop(),
		// By default the client waits up to two minutes before it retries a failed member.
		DialOptions: []grpc.DialOption{grpc.WithNoProxy(), grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.5, Jitter: 0.2, MaxDelay: time.Second},
		})},
		TLS: &tls.Config{Certificates: []tls.Certificate{certificate}, RootCAs: roots, MinVersion: tls.VersionTLS12},
	})
}
