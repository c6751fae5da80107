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

	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/constants"
)

// sharedAddresses are the addresses by which this machine serves its cluster beside its own: the control planes' virtual addresses,
// which etcd gives to one of them, and the cluster's endpoint if it is a loopback address that never was one of those. That stands for a
// load balancer, which finds another control plane within a second.
type sharedAddresses struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
	// taken are the addresses that this machine serves, or stands for election for.
	taken map[netip.Addr]context.CancelFunc
}

// lookInterval is how soon a changed configuration, or an address that nobody holds, is noticed.
const lookInterval = 200 * time.Millisecond

func shareAddresses(b *boot) *sharedAddresses {
	ctx, cancel := context.WithCancel(b.ctx)
	s := &sharedAddresses{cancel: cancel, taken: map[netip.Addr]context.CancelFunc{}}
	s.done.Go(func() {
		for ctx.Err() == nil {
			s.adjust(ctx, b)
			sleep(ctx, lookInterval)
		}
	})
	return s
}

// stop gives all addresses up.
func (s *sharedAddresses) stop() {
	if s != nil {
		s.cancel()
		s.done.Wait()
	}
}

// adjust takes configured addresses, and gives those up that are no longer configured.
func (s *sharedAddresses) adjust(ctx context.Context, b *boot) {
	b.mu.Lock()
	plane, cfg := b.plane, b.active
	b.mu.Unlock()
	if plane == nil {
		return
	}
	virtual := slices.DeleteFunc(vips(cfg), func(address netip.Addr) bool { return !address.IsLoopback() })
	balanced := balancedAddress(b, cfg, virtual)
	for address, giveUp := range s.taken {
		isBalanced := address == balanced && plane.EtcdHealthy()
		if !isBalanced && !slices.Contains(virtual, address) {
			giveUp()
			delete(s.taken, address)
		}
	}
	port := cfg.Cluster().LocalAPIServerPort()
	for _, address := range virtual {
		if s.taken[address] == nil {
			standing, giveUp := context.WithCancel(ctx)
			s.taken[address] = giveUp
			s.done.Go(func() { (&election{boot: b, plane: plane, address: address, port: port}).run(standing) })
		}
	}
	if balanced.IsValid() && s.taken[balanced] == nil && plane.EtcdHealthy() {
		holding, giveUp := context.WithCancel(ctx)
		if serve(holding, &s.done, b, balanced, port) {
			s.taken[balanced] = giveUp
		} else {
			giveUp()
		}
	}
}

// balancedAddress is the endpoint's, if a load balancer would have it.
func balancedAddress(b *boot, cfg config.Provider, virtual []netip.Addr) netip.Addr {
	if err := b.machine.rememberVIPs(virtual); err != nil {
		b.machine.log.Printf("%v", err)
	}
	endpoint, err := netip.ParseAddr(cfg.Cluster().Endpoint().Hostname())
	if err != nil || !endpoint.IsLoopback() || endpoint == b.machine.address || slices.Contains(b.machine.kept().VIPs, endpoint) {
		return netip.Addr{}
	}
	return endpoint
}

// rememberVIPs keeps virtual addresses, so that none is taken for that of a load balancer when it is no longer configured.
func (m *Machine) rememberVIPs(virtual []netip.Addr) error {
	known := m.kept().VIPs
	if !slices.ContainsFunc(virtual, func(address netip.Addr) bool { return !slices.Contains(known, address) }) {
		return nil
	}
	return m.change(func(r *record) {
		for _, address := range virtual {
			if !slices.Contains(r.VIPs, address) {
				r.VIPs = append(slices.Clone(r.VIPs), address)
			}
		}
	})
}

// serve forwards the address's ports to this machine until ctx ends. It returns false if another machine has the address.
func serve(ctx context.Context, done *sync.WaitGroup, b *boot, address netip.Addr, apiServer int) bool {
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
		done.Go(func() { forward(ctx, listeners[index], target) })
	}
	b.machine.log.Printf("holding the shared address %s", address)
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
