package talos

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/resources/cluster"
	configres "github.com/siderolabs/talos/pkg/machinery/resources/config"
	"github.com/siderolabs/talos/pkg/machinery/resources/k8s"
	"github.com/siderolabs/talos/pkg/machinery/resources/network"
	"github.com/siderolabs/talos/pkg/machinery/resources/secrets"
	"github.com/siderolabs/talos/pkg/machinery/resources/v1alpha1"
	"hearth.dev/lab/internal/controlplane"
	"hearth.dev/lab/internal/kubelet"
)

// activate makes cfg the machine's configuration and applies it to all parts of the machine.
func (b *boot) activate(cfg config.Provider) error {
	b.activating.Lock()
	defer b.activating.Unlock()
	b.mu.Lock()
	previous := b.active
	b.active = cfg
	b.hostname = hostname(cfg, b.machine.address, b.nodeID)
	name := b.hostname
	plane, agent := b.plane, b.kubelet
	b.mu.Unlock()
	if err := b.publishConfig(configres.NewMachineConfig(cfg)); err != nil {
		return err
	}
	put(b, configres.NewMachineType(), func(r *configres.MachineType) { r.SetMachineType(cfg.Machine().Type()) })
	put(b, network.NewHostnameStatus(network.NamespaceName, network.HostnameID), func(r *network.HostnameStatus) {
		r.TypedSpec().Hostname = name
	})
	put(b, k8s.NewNodename(k8s.NamespaceName, k8s.NodenameID), func(r *k8s.Nodename) { r.TypedSpec().Nodename = name })
	put(b, cluster.NewIdentity(cluster.NamespaceName, cluster.LocalIdentity), func(r *cluster.Identity) {
		r.TypedSpec().NodeID = b.nodeID
	})
	put(b, cluster.NewInfo(), func(r *cluster.Info) {
		r.TypedSpec().ClusterID, r.TypedSpec().ClusterName = cfg.Cluster().ID(), cfg.Cluster().Name()
	})
	if cfg.Machine().Type().IsControlPlane() {
		b.publishRoot(cfg)
		b.publishControlPlane(cfg)
	}
	b.publishConfigured(cfg, name)
	b.publishDetails(cfg, name)
	restarts := b.publishKubelet(cfg, name)
	if err := b.serveAPI(cfg, name); err != nil {
		return err
	}
	if plane != nil {
		if err := plane.Update(b.planeNode()); err != nil {
			b.machine.log.Printf("applying the configuration to the control plane: %v", err)
		}
	}
	if agent == nil {
		return nil
	}
	if trusted := kubernetesAuthorities(cfg); restarts || previous != nil && trusted != kubernetesAuthorities(previous) {
		b.restartKubelet()
		return nil
	}
	agent.Update(b.kubeletNode())
	return nil
}

// kubernetesAuthorities are the certificates that a machine's kubelet trusts, as one string.
func kubernetesAuthorities(cfg config.Provider) string {
	all := ""
	for _, ca := range cfg.Cluster().AcceptedCAs() {
		all += string(ca.Crt)
	}
	if ca := cfg.Cluster().IssuingCA(); ca != nil {
		all += string(ca.Crt)
	}
	return all
}

// restartKubelet restarts the kubelet, as Talos does when its specification or the trusted authorities change.
func (b *boot) restartKubelet() {
	b.stopKubelet()
	b.drop(v1alpha1.NewService("kubelet").Metadata())
	b.startKubelet()
}

// publishRoot publishes the authorities of Kubernetes, which talosctl rotate-ca reads.
func (b *boot) publishRoot(cfg config.Provider) {
	put(b, secrets.NewKubernetesRoot(secrets.KubernetesRootID), func(r *secrets.KubernetesRoot) {
		this, cluster := r.TypedSpec(), cfg.Cluster()
		this.Name, this.Endpoint, this.DNSDomain = cluster.Name(), cluster.Endpoint(), cluster.Network().DNSDomain()
		this.CertSANs = cluster.CertSANs()
		this.IssuingCA, this.AcceptedCAs = cluster.IssuingCA(), cluster.AcceptedCAs()
		this.AggregatorCA, this.ServiceAccount = cluster.AggregatorCA(), cluster.ServiceAccount()
	})
}

// serveAPI serves the API with certificates of the cluster's authority, and replaces them when their content changes.
func (b *boot) serveAPI(cfg config.Provider, name string) error {
	hosts := apiHosts(cfg, name, b.machine.address, vips(cfg))
	trusted, _ := acceptedCAs(cfg)
	wanted := fmt.Sprintf("%s %s %x %s", name, strings.Join(hosts, " "), trusted, cfg.Machine().Security().Token())
	b.mu.Lock()
	unchanged := b.apidFor == wanted
	b.apidFor = wanted
	b.mu.Unlock()
	if unchanged {
		return nil
	}
	if cfg.Machine().Type().IsControlPlane() {
		who, err := controlPlaneIdentity(cfg, b.machine.disk.now(), name, hosts)
		if err != nil {
			return err
		}
		return b.replaceAPID(who)
	}
	go b.waitForCertificate(cfg, wanted, name, hosts)
	return nil
}

// replaceAPID serves with a new identity. Calls under way are still answered.
func (b *boot) replaceAPID(who identity) error {
	b.serving.Lock()
	defer b.serving.Unlock()
	if b.ctx.Err() != nil {
		return b.ctx.Err()
	}
	b.apid.stop()
	b.apid = nil
	if b.trustd != nil {
		b.trustd.Stop()
		b.trustd = nil
	}
	var err error
	if b.apid, err = startAPID(b.ctx, b.machine.address, who, b.local); err != nil {
		return err
	}
	if who.client != nil {
		if b.trustd, err = startTrustd(b.ctx, b, who.server); err != nil {
			return err
		}
		b.services.set("trustd", stateRunning, "Started")
		b.services.health("trustd", true, "Health check successful")
	}
	b.services.set("apid", stateRunning, "Started")
	b.services.health("apid", true, "Health check successful")
	return nil
}

// waitForCertificate asks the control planes until one of them signs.
func (b *boot) waitForCertificate(cfg config.Provider, wanted, name string, hosts []string) {
	b.services.set("apid", stateWaiting, "Waiting for api certificates")
	complaint := ""
	for b.ctx.Err() == nil {
		b.mu.Lock()
		stale := b.apidFor != wanted
		b.mu.Unlock()
		if stale {
			return
		}
		ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
		who, err := workerIdentity(ctx, cfg, name, hosts, b.trustdHosts(cfg))
		cancel()
		if err == nil {
			err = b.replaceAPID(who)
		}
		if err == nil {
			return
		}
		if err.Error() != complaint {
			complaint = err.Error()
			b.machine.log.Printf("waiting for a certificate: %v", err)
		}
		sleep(b.ctx, time.Second)
	}
}

// trustdHosts are the possible control planes: the cluster's endpoint, and those that discovery knows.
func (b *boot) trustdHosts(cfg config.Provider) []string {
	hosts := []string{cfg.Cluster().Endpoint().Hostname()}
	for _, address := range b.controlPlanes() {
		hosts = append(hosts, address.String())
	}
	return hosts
}

// controlPlanes are the addresses of the control planes that discovery knows.
func (b *boot) controlPlanes() []netip.Addr {
	b.mu.Lock()
	members := b.members
	b.mu.Unlock()
	return members.controlPlanes()
}

func (b *boot) planeNode() controlplane.Node {
	b.mu.Lock()
	defer b.mu.Unlock()
	return controlplane.Node{
		Config: b.active, Hostname: b.hostname, Address: b.machine.address, VIPs: vips(b.active),
	}
}

func (b *boot) kubeletNode() kubelet.Node {
	b.mu.Lock()
	defer b.mu.Unlock()
	spec := b.machine.spec
	return kubelet.Node{
		Config: b.active, Name: b.hostname, Address: b.machine.address, TalosVersion: b.image.Version,
		Extensions: b.extensionVersions(), Cordoned: cordons(b.stage), UUID: spec.UUID, BootID: b.id, Cores: spec.Cores, MemoryMiB: spec.MemoryMiB,
		DiskGiB: b.machine.systemDiskGiB(),
	}
}

func (b *boot) startKubelet() {
	b.services.set("kubelet", statePrepare, "Running pre state")
	agent := kubelet.New(kubelet.Options{
		Dir: b.machine.disk.path("var", "kubelet"), Logf: b.machine.log.Printf, Admin: b.adminConfig(), OnChange: b.refresh,
		Static: b.staticPods,
	})
	b.mu.Lock()
	b.kubelet = agent
	b.mu.Unlock()
	agent.Start(b.kubeletNode())
}
