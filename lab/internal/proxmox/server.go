package proxmox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"hearth.dev/lab/internal/authority"
	"hearth.dev/lab/internal/labconfig"
)

// Run serves the lab's Proxmox cluster, with its machines, until ctx ends. Running machines stay so in the state and
// are started again by the next Run.
func Run(ctx context.Context, lab *labconfig.Lab) error {
	if lab.Proxmox.Address == "" {
		return errors.New("the lab's configuration has no proxmox.address")
	}
	c, err := open(lab)
	if err != nil {
		return err
	}
	listener, err := listen(lab)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: c, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.Default()}
	// The real API speaks only HTTP/1.1. Its messages are in the status line, which HTTP/2 does not have.
	server.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){}
	serving, stop := context.WithCancel(ctx)
	defer stop()
	if err := c.startSSH(serving); err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	log.Printf("Proxmox VE at https://%s, nodes %v", lab.Proxmox.Address, lab.Proxmox.Nodes)
	c.bootHosts()
	select {
	case err = <-failed:
	case <-ctx.Done():
		_ = server.Close()
	}
	c.shutDownHosts()
	return err
}

func listen(lab *labconfig.Lab) (net.Listener, error) {
	host, _, err := net.SplitHostPort(lab.Proxmox.Address)
	if err != nil {
		return nil, fmt.Errorf("proxmox.address %q: %w", lab.Proxmox.Address, err)
	}
	ca, err := authority.Open(lab.Dir)
	if err != nil {
		return nil, err
	}
	config, err := ca.ServerTLS(host)
	if err != nil {
		return nil, err
	}
	config.NextProtos = []string{"http/1.1"}
	plain, err := net.Listen("tcp", lab.Proxmox.Address)
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w; stop what uses it, or change the stack's addresses", lab.Proxmox.Address, err)
	}
	return tls.NewListener(plain, config), nil
}
