package talos

import (
	"context"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/siderolabs/talos/pkg/machinery/constants"
)

// sharedAddresses are the control plane's virtual addresses, and the cluster's endpoint if it is a loopback address.
// The first machine that opens an address's ports holds it. When that machine stops, another takes over within a
// second. As in Talos, a machine takes part while its etcd member is healthy.
type sharedAddresses struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
}

func shareAddresses(b *boot) *sharedAddresses {
	ctx, cancel := context.WithCancel(b.ctx)
	s := &sharedAddresses{cancel: cancel}
	s.done.Go(func() {
		held := map[netip.Addr]context.CancelFunc{}
		for ctx.Err() == nil {
			s.adjust(ctx, b, held)
			select {
			case <-ctx.Done():
			case <-time.After(500 * time.Millisecond):
			}
		}
	})
	return s
}

func (s *sharedAddresses) stop() {
	if s != nil {
		s.cancel()
		s.done.Wait()
	}
}

// adjust takes configured addresses that nobody holds, and releases those that are no longer configured.
func (s *sharedAddresses) adjust(ctx context.Context, b *boot, held map[netip.Addr]context.CancelFunc) {
	b.mu.Lock()
	plane, cfg := b.plane, b.active
	b.mu.Unlock()
	var wanted []netip.Addr
	if plane != nil && plane.EtcdHealthy() {
		wanted = vips(cfg)
		if endpoint, err := netip.ParseAddr(cfg.Cluster().Endpoint().Hostname()); err == nil && !slices.Contains(wanted, endpoint) {
			wanted = append(wanted, endpoint)
		}
		wanted = slices.DeleteFunc(wanted, func(address netip.Addr) bool {
			return address == b.machine.address || !address.IsLoopback()
		})
	}
	for address, release := range held {
		if !slices.Contains(wanted, address) {
			release()
			delete(held, address)
		}
	}
	for _, address := range wanted {
		if held[address] != nil {
			continue
		}
		holding, release := context.WithCancel(ctx)
		if s.hold(holding, b, address, cfg.Cluster().LocalAPIServerPort()) {
			b.machine.log.Printf("holding the shared address %s", address)
			held[address] = release
		} else {
			release()
		}
	}
}

// hold forwards the address's ports to this machine. It returns false if another machine holds the address.
func (s *sharedAddresses) hold(ctx context.Context, b *boot, address netip.Addr, apiServer int) bool {
	var listeners []net.Listener
	for _, port := range []int{apiServer, constants.ApidPort, constants.TrustdPort} {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(address.String(), strconv.Itoa(port)))
		if err != nil {
			for _, opened := range listeners {
				opened.Close()
			}
			return false
		}
		listeners = append(listeners, listener)
	}
	for index, port := range []int{apiServer, constants.ApidPort, constants.TrustdPort} {
		target := net.JoinHostPort(b.machine.address.String(), strconv.Itoa(port))
		s.done.Go(func() { forward(ctx, listeners[index], target) })
	}
	return true
}

// forward forwards connections until ctx ends.
func forward(ctx context.Context, listener net.Listener, target string) {
	defer context.AfterFunc(ctx, func() { listener.Close() })()
	for {
		incoming, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer incoming.Close()
			outgoing, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", target)
			if err != nil {
				return
			}
			defer outgoing.Close()
			defer context.AfterFunc(ctx, func() { incoming.Close(); outgoing.Close() })()
			back := make(chan struct{})
			go func() {
				defer close(back)
				io.Copy(incoming, outgoing) //nolint:errcheck // either side may close at any time
				closeWrite(incoming)
			}()
			io.Copy(outgoing, incoming) //nolint:errcheck
			closeWrite(outgoing)
			<-back
		}()
	}
}

func closeWrite(connection net.Conn) {
	if tcp, ok := connection.(*net.TCPConn); ok {
		tcp.CloseWrite() //nolint:errcheck
	}
}
