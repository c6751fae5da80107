package controlplane

import (
	"context"
	"fmt"
	"time"

	"github.com/siderolabs/talos/pkg/machinery/constants"
	clientv3 "go.etcd.io/etcd/client/v3"
	"hearth.dev/lab/internal/child"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Program is the status of a control-plane program.
type Program struct {
	Name    string
	Running bool
	Healthy bool
	// Message says why the program is not healthy.
	Message string
	// Flags are the program's arguments.
	Flags []string
}

// Programs returns the running programs that a control plane has on a real machine too, in no particular order.
func (c *ControlPlane) Programs() []Program {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := []Program{}
	for name, each := range c.running {
		if name == podsProgram {
			continue
		}
		running := each.Status().State == child.Running
		all = append(all, Program{name, running, running && each.healthy, each.message, each.flags})
	}
	return all
}

// EtcdHealthy reports whether this machine's etcd member serves requests.
func (c *ControlPlane) EtcdHealthy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.running["etcd"] != nil && c.running["etcd"].healthy
}

// EtcdRuns reports whether this machine has an etcd member.
func (c *ControlPlane) EtcdRuns() bool { return c.runs("etcd") }

func (c *ControlPlane) runs(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.running[name] != nil
}

// watch starts each program once the programs that it needs are healthy, and monitors all of them.
func (c *ControlPlane) watch(ctx context.Context) {
	var state watching
	defer state.close()
	for {
		c.look(ctx, &state)
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
}

// watching is the state between two rounds.
type watching struct {
	etcd      *clientv3.Client
	etcdFor   string
	admin     *rest.Config
	adminFor  string
	manifests string
	complaint string
}

func (w *watching) close() {
	if w.etcd != nil {
		w.etcd.Close()
	}
}

func (c *ControlPlane) look(ctx context.Context, state *watching) {
	node, ok := c.current()
	if !ok {
		return
	}
	if err := c.step(ctx, node, state); err != nil && ctx.Err() == nil {
		if text := err.Error(); text != state.complaint {
			c.options.Logf("control plane: %v", err)
			state.complaint = text
		}
	}
}

func (c *ControlPlane) step(ctx context.Context, node Node, state *watching) error {
	if !c.runs("etcd") {
		return nil
	}
	err := c.checkEtcd(ctx, node, state)
	c.report("etcd", err)
	if err != nil {
		return nil // the reason is in its health; nothing else can start
	}
	for _, name := range []string{"kube-apiserver", "kube-controller-manager"} {
		if err := c.ensure(name); err != nil {
			return err
		}
	}
	admin, err := c.admin(node, state)
	if err != nil {
		return err
	}
	ready := c.checkAPIServer(ctx, admin)
	c.report("kube-apiserver", ready)
	if ready != nil {
		return nil
	}
	if err := c.ensure("kube-scheduler"); err != nil {
		return err
	}
	c.report("kube-controller-manager", nil)
	c.report("kube-scheduler", nil)
	if state.manifests != manifestsFor(node) {
		if err := applyManifests(ctx, admin, node, c.options.Logf); err != nil {
			return fmt.Errorf("applying bootstrap manifests: %w", err)
		}
		state.manifests = manifestsFor(node)
	}
	return c.ensurePods()
}

// report records a program's health and calls OnChange if it has changed.
func (c *ControlPlane) report(name string, problem error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	each := c.running[name]
	if each == nil {
		return
	}
	healthy, message := problem == nil, "Health check successful"
	if problem != nil {
		message = problem.Error()
	}
	if each.healthy != healthy {
		c.changed()
	}
	each.healthy, each.message = healthy, message
}

func (c *ControlPlane) checkEtcd(ctx context.Context, node Node, state *watching) error {
	if identity := string(node.Config.Cluster().Etcd().CA().Crt); state.etcd == nil || state.etcdFor != identity {
		client, err := etcdClient(node, endpointOf(node.Address))
		if err != nil {
			return err
		}
		state.close()
		state.etcd, state.etcdFor = client, identity
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	status, err := state.etcd.Status(ctx, url(node.Address, constants.EtcdClientPort))
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.member = status.Header.MemberId
	c.mu.Unlock()
	if status.IsLearner {
		return c.promote(ctx, node, status.Header.MemberId)
	}
	_, err = state.etcd.Get(ctx, "health")
	return err
}

// admin returns a client configuration for this machine's API server with Talos's administrator certificate. It also
// writes it for the lab's pods.
func (c *ControlPlane) admin(node Node, state *watching) (*rest.Config, error) {
	identity := string(node.Config.Cluster().IssuingCA().Crt)
	if state.admin != nil && state.adminFor == identity {
		return state.admin, nil
	}
	content, err := localAdmin(node)
	if err != nil {
		return nil, err
	}
	if err := writeFile(c.path("admin.kubeconfig"), content); err != nil {
		return nil, err
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(content)
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = 50, 100
	if state.admin != nil {
		// The pods read the file only once.
		c.mu.Lock()
		c.stopPods()
		c.mu.Unlock()
	}
	state.admin, state.adminFor = config, identity
	return config, nil
}

func localAdmin(node Node) ([]byte, error) {
	return kubeconfig(node.Config.Cluster(), kubeconfigFor{
		server: node.localEndpoint(), user: "admin", context: "admin",
		commonName:   constants.KubernetesTalosAdminCertCommonName,
		organization: constants.KubernetesAdminCertOrganization, lifetime: certificateLifetime,
	})
}

// AdminConfig returns a client configuration for this machine's API server with Talos's administrator certificate.
func (c *ControlPlane) AdminConfig() (*rest.Config, error) {
	node, ok := c.current()
	if !ok {
		return nil, fmt.Errorf("the control plane is not running")
	}
	content, err := localAdmin(node)
	if err != nil {
		return nil, err
	}
	return clientcmd.RESTConfigFromKubeConfig(content)
}

func (c *ControlPlane) checkAPIServer(ctx context.Context, admin *rest.Config) error {
	client, err := rest.UnversionedRESTClientFor(unversioned(admin))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	return client.Get().AbsPath("/readyz").Do(ctx).Error()
}

// MemberID returns the ID of this machine's etcd member, if it is known.
func (c *ControlPlane) MemberID() (uint64, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.member, c.member != 0
}
