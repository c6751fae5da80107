package talos

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/siderolabs/talos/pkg/machinery/constants"
	"go.etcd.io/etcd/client/v3/concurrency"
	"hearth.dev/lab/internal/controlplane"
)

// election has a machine stand for a virtual address at its etcd, and serve it while it is elected.
//
// The address goes at once from a machine that gives it up while its etcd member serves. A machine whose power is cut, or whose member
// leaves before, keeps its key until the lease ends, up to a minute later, and nobody has the address. Neither a member that is unhealthy
// nor an API server that restarts gives the address up. Source: siderolabs/talos v1.13.9,
// internal/app/machined/pkg/controllers/network/operator/vip.go.
type election struct {
	boot    *boot
	plane   *controlplane.ControlPlane
	address netip.Addr
	// port is the API server's.
	port int
}

const (
	// campaignRetry is the time between two campaigns.
	campaignRetry = time.Second
	// resignTimeout is how long etcd has for a resignation. Talos waits for ten seconds, and the lab's end is not to.
	resignTimeout = 3 * time.Second
)

func (e *election) run(ctx context.Context) {
	complaint := ""
	for ctx.Err() == nil {
		if err := e.campaign(ctx); err != nil && ctx.Err() == nil && err.Error() != complaint {
			complaint = err.Error()
			e.boot.machine.log.Printf("campaign for %s: %v", e.address, err)
		}
		sleep(ctx, campaignRetry)
	}
}

// campaign stands for election once, and serves until the machine is to give the address up.
func (e *election) campaign(parent context.Context) error {
	for !e.plane.EtcdHealthy() {
		if !sleep(parent, lookInterval) {
			return nil
		}
	}
	client, err := e.plane.EtcdClient()
	if err != nil {
		return err
	}
	defer client.Close()
	session, err := concurrency.NewSession(client, concurrency.WithContext(parent))
	if err != nil {
		return err
	}
	defer briefly(parent, func(ctx context.Context) { client.Revoke(ctx, session.Lease()) }) //nolint:errcheck // the lease ends by itself
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	go e.cancelWithout(ctx, session, cancel)

	key := constants.EtcdRootTalosKey + ":vip:election:" + e.address.String()
	vote := concurrency.NewElection(session, key)
	name := e.boot.name()
	if err := e.resignFormer(ctx, session, vote, key, name); err != nil {
		return err
	}
	if err := vote.Campaign(ctx, name); err != nil {
		return err
	}
	defer briefly(parent, func(ctx context.Context) { vote.Resign(ctx) }) //nolint:errcheck // the lease ends by itself
	e.serveWhileElected(ctx, vote, name)
	return nil
}

// resignFormer resigns from an election that this machine won in an earlier boot.
func (e *election) resignFormer(
	ctx context.Context, session *concurrency.Session, vote *concurrency.Election, key, name string,
) error {
	leader, err := vote.Leader(ctx)
	if errors.Is(err, concurrency.ErrElectionNoLeader) {
		return nil
	}
	if err != nil || string(leader.Kvs[0].Value) != name {
		return err
	}
	former := leader.Kvs[0]
	return concurrency.ResumeElection(session, key, string(former.Key), former.CreateRevision).Resign(ctx)
}

func (e *election) serveWhileElected(ctx context.Context, vote *concurrency.Election, name string) {
	serving, giveUp := context.WithCancel(ctx)
	var done sync.WaitGroup
	defer done.Wait()
	defer giveUp()
	// Another machine may be about to close the address's ports.
	for !serve(serving, &done, e.boot, e.address, e.port) {
		if !sleep(ctx, 20*time.Millisecond) {
			return
		}
	}
	for leader := range vote.Observe(ctx) {
		if string(leader.Kvs[0].Value) != name {
			return
		}
	}
}

// cancelWithout cancels a campaign when its session or the machine's member of etcd ends.
func (e *election) cancelWithout(ctx context.Context, session *concurrency.Session, cancel context.CancelFunc) {
	defer cancel()
	for e.plane.EtcdRuns() {
		select {
		case <-ctx.Done():
			return
		case <-session.Done():
			return
		case <-time.After(lookInterval):
		}
	}
}

// briefly does what may still be done when a context has ended.
func briefly(ctx context.Context, do func(context.Context)) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), resignTimeout)
	defer cancel()
	do(ctx)
}
