package controlplane

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/siderolabs/talos/pkg/machinery/constants"
	"go.etcd.io/etcd/etcdutl/v3/snapshot"
	"go.uber.org/zap"
)

// ErrBootstrapped means that this machine already has an etcd member.
var ErrBootstrapped = errors.New("etcd data directory is not empty")

// etcdCiphers are etcd's in Talos.
const etcdCiphers = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256," +
	"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384," +
	"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305,TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305"

// membership is how an etcd member learns of its first members. It is stored, because a member that has not written its
// own log needs it at the next start. Without it the member would start a new cluster.
type membership struct {
	// State is "new" or "existing".
	State string `json:"state"`
	// Members are NAME=URL pairs separated by commas.
	Members string `json:"members"`
}

func (c *ControlPlane) keepMembership(first membership) error {
	content, err := json.Marshal(first)
	if err != nil {
		return err
	}
	return writeFile(c.path("etcd-membership.json"), content)
}

func (c *ControlPlane) keptMembership() (membership, error) {
	var first membership
	content, err := os.ReadFile(c.path("etcd-membership.json"))
	if err == nil {
		err = json.Unmarshal(content, &first)
	}
	return first, err
}

// etcd renders etcd as Talos runs it.
func (c *ControlPlane) etcd(node Node, first membership) (*component, error) {
	settings := node.Config.Cluster().Etcd()
	hosts := []string{node.Address.String(), node.Hostname}
	this := &component{
		name: "etcd", dir: c.path("etcd"),
		env:   append(environment(nil), "ETCD_CIPHER_SUITES="+etcdCiphers),
		files: map[string][]byte{"ca.crt": settings.CA().Crt},
		certificates: map[string]certificate{
			"server": {settings.CA(), identity{commonName: node.Hostname, server: true, client: true,
				hosts: unique(append(hosts, "127.0.0.1", "::1", "localhost"))}},
			// etcd checks the source address of a peer, which on loopback is always the same.
			"peer": {settings.CA(), identity{commonName: node.Hostname, server: true, client: true,
				hosts: unique(append(hosts, "127.0.0.1"))}},
			"admin": {settings.CA(), identity{commonName: "talos", client: true}},
		},
	}
	peer, client := url(node.Address, constants.EtcdPeerPort), url(node.Address, constants.EtcdClientPort)
	args := arguments{
		"advertise-client-urls":          {client},
		"auto-tls":                       {"false"},
		"cert-file":                      {this.path("server.crt")},
		"client-cert-auth":               {"true"},
		"data-dir":                       {c.dataDir()},
		"initial-advertise-peer-urls":    {peer},
		"key-file":                       {this.path("server.key")},
		"listen-client-urls":             {client},
		"listen-peer-urls":               {peer},
		"name":                           {node.Hostname},
		"peer-auto-tls":                  {"false"},
		"peer-cert-file":                 {this.path("peer.crt")},
		"peer-client-cert-auth":          {"true"},
		"peer-key-file":                  {this.path("peer.key")},
		"peer-trusted-ca-file":           {this.path("ca.crt")},
		"trusted-ca-file":                {this.path("ca.crt")},
		"feature-gates":                  {"InitialCorruptCheck=true,CompactHashCheck=true"},
		"watch-progress-notify-interval": {"5s"},
	}
	if first.Members != "" {
		args["initial-cluster"], args["initial-cluster-state"] = []string{first.Members}, []string{first.State}
	}
	denied := deny("name", "auto-tls", "peer-auto-tls", "data-dir", "listen-peer-urls", "listen-client-urls",
		"client-cert-auth", "cert-file", "key-file", "trusted-ca-file", "peer-client-cert-auth", "peer-cert-file",
		"peer-key-file", "peer-trusted-ca-file")
	if err := args.merge(this.name, settings.ExtraArgs(), denied); err != nil {
		return nil, err
	}
	this.flags = args.flags()
	return this, nil
}

// Bootstrap starts a new etcd cluster on this machine, empty or with the content of the uploaded snapshot. The rest of
// the control plane then starts automatically.
func (c *ControlPlane) Bootstrap(recoverSnapshot, skipHashCheck bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	// A member that has just started may not have written anything yet.
	if c.hasData() || c.running["etcd"] != nil {
		return ErrBootstrapped
	}
	if c.node == nil {
		return errors.New("the control plane is not running yet")
	}
	c.stopJoining()
	if recoverSnapshot {
		if err := c.restore(*c.node, skipHashCheck); err != nil {
			return err
		}
	}
	return c.startEtcd(*c.node, membership{State: "new", Members: member(*c.node)})
}

func member(node Node) string {
	return node.Hostname + "=" + url(node.Address, constants.EtcdPeerPort)
}

// restore fills the data folder from the uploaded snapshot.
func (c *ControlPlane) restore(node Node, skipHashCheck bool) error {
	manager := snapshot.NewV3(zap.NewNop())
	if _, err := os.Stat(c.SnapshotPath()); err != nil {
		return fmt.Errorf("error verifying snapshot: %w", err)
	}
	status, err := manager.Status(c.SnapshotPath())
	if err != nil {
		return fmt.Errorf("error verifying snapshot: %w", err)
	}
	c.options.Logf("recovering etcd from a snapshot: revision %d, %d keys", status.Revision, status.TotalKey)
	err = manager.Restore(snapshot.RestoreConfig{
		SnapshotPath: c.SnapshotPath(), OutputDataDir: c.dataDir(), Name: node.Hostname,
		PeerURLs: []string{url(node.Address, constants.EtcdPeerPort)}, InitialCluster: member(node),
		SkipHashCheck: skipHashCheck,
	})
	if err != nil {
		return errors.Join(fmt.Errorf("error recovering from the snapshot: %w", err), os.RemoveAll(c.dataDir()))
	}
	return os.Remove(c.SnapshotPath())
}

// SnapshotPath is the path of an uploaded snapshot, which a later bootstrap recovers.
func (c *ControlPlane) SnapshotPath() string { return c.path("etcd.snapshot") }

func (c *ControlPlane) dataDir() string { return c.path("etcd-data") }

// DiscardEtcd ends a member that has left its cluster, and deletes its data. The machine joins again when it boots. Without etcd there are no
// static pods. Source: siderolabs/talos v1.13.9, internal/pkg/etcd/etcd.go, LeaveCluster, and
// internal/app/machined/pkg/controllers/k8s/control_plane_static_pod.go, teardownAll.
func (c *ControlPlane) DiscardEtcd() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopPods()
	for _, name := range []string{"kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd"} {
		c.stopProgram(name)
	}
	return os.RemoveAll(c.dataDir())
}

func (c *ControlPlane) hasData() bool {
	entries, err := os.ReadDir(c.dataDir())
	return err == nil && len(entries) > 0
}

// join adds this machine to the other control planes' etcd cluster, first as a learner, and starts its member.
func (c *ControlPlane) join(ctx context.Context, node Node) {
	complaint := ""
	for {
		members, err := c.addSelf(ctx, node)
		if err == nil {
			c.mu.Lock()
			if ctx.Err() == nil {
				err = c.startEtcd(node, membership{State: "existing", Members: members})
			}
			c.mu.Unlock()
			if err == nil {
				return
			}
		}
		if err.Error() != complaint && ctx.Err() == nil {
			complaint = err.Error()
			c.options.Logf("etcd waits for a cluster to join, or for a bootstrap of this machine: %v", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(3 * time.Second):
		}
	}
}

var errNobody = errors.New("no other control plane is known")

// addSelf adds this machine as a learner. It first removes a member of the same name, which remains from before a
// reset.
func (c *ControlPlane) addSelf(ctx context.Context, node Node) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	client, err := c.peersClient(node)
	if err != nil {
		return "", err
	}
	defer client.Close()
	list, err := client.MemberList(ctx)
	if err != nil {
		return "", err
	}
	peer := url(node.Address, constants.EtcdPeerPort)
	for _, old := range list.Members {
		if old.Name == node.Hostname || slices.Contains(old.PeerURLs, peer) {
			if _, err := client.MemberRemove(ctx, old.ID); err != nil {
				return "", err
			}
		}
	}
	added, err := client.MemberAddAsLearner(ctx, []string{peer})
	if err != nil {
		return "", err
	}
	pairs := []string{}
	for _, each := range added.Members {
		name := each.Name
		if each.ID == added.Member.ID {
			name = node.Hostname
		}
		for _, address := range each.PeerURLs {
			pairs = append(pairs, name+"="+address)
		}
	}
	return strings.Join(pairs, ","), nil
}

// promote makes this machine's learner a voting member. The leader refuses until the learner has caught up.
func (c *ControlPlane) promote(ctx context.Context, node Node, id uint64) error {
	client, err := c.peersClient(node)
	if err != nil {
		return err
	}
	defer client.Close()
	_, err = client.MemberPromote(ctx, id)
	return err
}
