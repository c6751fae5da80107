// Package registry is the lab's OCI registry, which stands for the public registries that Hearth fetches charts from.
//
// It keeps no state: at each start it packages the same bytes from the Go module cache.
package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"time"

	"hearth.dev/lab/internal/authority"
	"hearth.dev/lab/internal/factory"
	"hearth.dev/lab/internal/labconfig"
)

// Run serves the registry on lab.Internet.Registry until ctx ends.
func Run(ctx context.Context, lab *labconfig.Lab) error {
	charts, err := publications(lab)
	if err != nil {
		return err
	}
	handler, err := newHosts(charts, lab.Internet.Registries, factory.Open(lab))
	if err != nil {
		return err
	}
	address, _, err := net.SplitHostPort(lab.Internet.Registry)
	if err != nil {
		return fmt.Errorf("internet.registry %q is not host:port: %w", lab.Internet.Registry, err)
	}
	ca, err := authority.Open(lab.Dir)
	if err != nil {
		return err
	}
	config, err := ca.ServerTLS(append([]string{address, factory.Host}, lab.Internet.Registries...)...)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", lab.Internet.Registry)
	if err != nil {
		return fmt.Errorf("the registry cannot listen: %w", err)
	}
	log.Printf("registry: %s stands for %s", lab.Internet.Registry, strings.Join(lab.Internet.Registries, ", "))
	for _, each := range charts {
		log.Printf("registry: holds %s/%s:%s", each.host, each.repository, each.chart.tag())
	}
	return serve(ctx, listener, &http.Server{
		Handler: handler, TLSConfig: config, ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: log.New(io.Discard, "", 0),
	})
}

func serve(ctx context.Context, listener net.Listener, server *http.Server) error {
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return ctx.Err()
}
