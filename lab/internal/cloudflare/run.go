// Package cloudflare simulates the part of Cloudflare's API, version 4, that Hearth uses: zones, DNS records, tunnels
// and their tokens. It has the API's errors, token permissions and rate limit.
package cloudflare

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

// Host is the simulator's host name.
const Host = "api.cloudflare.com"

// Run serves the API until ctx ends.
func Run(ctx context.Context, lab *labconfig.Lab) error {
	if lab.Cloudflare.Address == "" {
		return errors.New("this lab has no Cloudflare: cloudflare.address is missing in its configuration")
	}
	address, _, err := net.SplitHostPort(lab.Cloudflare.Address)
	if err != nil {
		return fmt.Errorf("cloudflare.address: %w", err)
	}
	if err := checkPermissions(lab.Cloudflare.Permissions); err != nil {
		return err
	}
	ca, err := authority.Open(lab.Dir)
	if err != nil {
		return err
	}
	security, err := ca.ServerTLS(Host, address)
	if err != nil {
		return err
	}
	store, err := openStore(lab.Path("cloudflare", "state.json"))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", lab.Cloudflare.Address)
	if err != nil {
		return fmt.Errorf("%w: end the program that uses this address, or run `npm run lab -- down`", err)
	}
	server := &http.Server{Handler: newAPI(lab.Cloudflare, store), ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() {
		ending, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		server.Shutdown(ending)
	})
	defer stop()
	log.Printf("Cloudflare's API listens on https://%s for %s", lab.Cloudflare.Address, Host)
	if err := server.Serve(tls.NewListener(listener, security)); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
