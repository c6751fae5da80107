package kubelet

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/siderolabs/talos/pkg/machinery/config/config"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

const (
	// leaseInterval and leaseSeconds are the kubelet's defaults: the lease is renewed every 10 s and expires after 40
	// s.
	leaseInterval = 10 * time.Second
	leaseSeconds  = 40
	// statusInterval is how often an unchanged status is reported.
	statusInterval = time.Minute
	retryInterval  = 2 * time.Second
)

// Options configure a kubelet.
type Options struct {
	// Dir holds the kubelet's certificate.
	Dir string
	// Logf writes a line to the machine's log.
	Logf func(format string, args ...any)
	// Admin returns a client configuration with which a control plane labels and taints its node. It is nil on workers,
	// whose kubelets do that themselves, within what Kubernetes allows them.
	Admin func() (*rest.Config, error)
	// Static returns the control plane's programs on this machine. It is nil on workers.
	Static func() []StaticPod
	// OnChange is called when the status has changed.
	OnChange func()
}

// Node is the machine's present configuration.
type Node struct {
	Config config.Config
	// Name is the node's name.
	Name    string
	Address netip.Addr
	// TalosVersion is the release of the running image, Extensions are its extensions' versions by name.
	TalosVersion string
	Extensions   map[string]string
	UUID         string
	BootID       string
	Cores        int
	MemoryMiB    int
	// DiskGiB is the size of the system disk.
	DiskGiB int
	// Cordoned keeps new pods away from the node.
	Cordoned bool
}

// Status is a kubelet's status.
type Status struct {
	// Healthy means that the kubelet runs and has a certificate. Like the real one, it does not depend on the API
	// server.
	Healthy bool
	// Registered means that the Node exists.
	Registered bool
	// Ready is the Node's Ready condition.
	Ready bool
	// Message says what the kubelet is doing, or what is wrong.
	Message string
}

// Kubelet maintains one node. Its methods are safe for concurrent use.
type Kubelet struct {
	options Options

	mu     sync.Mutex
	node   Node
	status Status
	cancel context.CancelFunc
	done   chan struct{}
	wake   chan struct{}
	pods   cache.Store
}

// New returns a kubelet that is not started.
func New(options Options) *Kubelet {
	return &Kubelet{options: options, wake: make(chan struct{}, 1)}
}

// Start begins to register and maintain the node.
func (k *Kubelet) Start(node Node) {
	ctx, cancel := context.WithCancel(context.Background())
	k.mu.Lock()
	k.node, k.cancel, k.done = node, cancel, make(chan struct{})
	k.mu.Unlock()
	go func() {
		defer close(k.done)
		k.run(ctx)
	}()
}

// Update applies a changed configuration.
func (k *Kubelet) Update(node Node) {
	k.mu.Lock()
	k.node = node
	k.mu.Unlock()
	k.nudge()
}

// Stop ends the kubelet. It no longer renews the node's lease.
func (k *Kubelet) Stop() {
	k.mu.Lock()
	cancel, done := k.cancel, k.done
	k.mu.Unlock()
	if cancel != nil {
		cancel()
		<-done
	}
}

// Status returns the present status.
func (k *Kubelet) Status() Status {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.status
}

// Pods returns the pods that run on the node, as far as the kubelet knows them.
func (k *Kubelet) Pods() []*corev1.Pod {
	k.mu.Lock()
	store := k.pods
	k.mu.Unlock()
	if store == nil {
		return nil
	}
	var all []*corev1.Pod
	for _, object := range store.List() {
		if pod, ok := object.(*corev1.Pod); ok && pod.Status.Phase == corev1.PodRunning {
			all = append(all, pod)
		}
	}
	slices.SortFunc(all, func(a, b *corev1.Pod) int { return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name) })
	return all
}

func (k *Kubelet) current() Node {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.node
}

func (k *Kubelet) report(alter func(*Status)) {
	k.mu.Lock()
	before := k.status
	alter(&k.status)
	changed := before != k.status
	k.mu.Unlock()
	if changed && k.options.OnChange != nil {
		go k.options.OnChange()
	}
}

// nudge starts the next round immediately.
func (k *Kubelet) nudge() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// run keeps the node registered, with one session per identity.
func (k *Kubelet) run(ctx context.Context) {
	complaint := ""
	for ctx.Err() == nil {
		err := k.session(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			k.report(func(s *Status) {
				if !s.Healthy {
					s.Message = err.Error()
				}
			})
			if err.Error() != complaint {
				complaint = err.Error()
				k.options.Logf("kubelet: %v", err)
			}
		}
		k.sleep(ctx, retryInterval)
	}
}

func (k *Kubelet) sleep(ctx context.Context, pause time.Duration) {
	select {
	case <-ctx.Done():
	case <-k.wake:
	case <-time.After(pause):
	}
}

// session gets a certificate and maintains the node until something fails or the identity changes.
func (k *Kubelet) session(ctx context.Context) error {
	node := k.current()
	client, err := k.client(ctx, node)
	if err != nil {
		return err
	}
	if err := register(ctx, client, node); err != nil {
		return err
	}
	k.report(func(s *Status) { s.Registered = true })
	plugin := k.watchPods(ctx, client, node.Name)
	defer plugin.stop()
	k.mu.Lock()
	k.pods = plugin.pods
	k.mu.Unlock()
	var leased, reported time.Time
	refused := ""
	for ctx.Err() == nil {
		now := k.current()
		if identityOf(now) != identityOf(node) {
			return nil
		}
		if time.Since(leased) >= leaseInterval {
			if err := renew(ctx, client, now.Name); err != nil {
				return err
			}
			leased = time.Now()
		}
		ready := plugin.installed()
		if ready != k.Status().Ready || time.Since(reported) >= statusInterval || now.TalosVersion != node.TalosVersion {
			if err := reportStatus(ctx, client, now, ready); err != nil {
				return err
			}
			if err := readyAgain(ctx, client, now.Name); err != nil {
				return err
			}
			reported = time.Now()
		}
		// Talos does this, not the kubelet, which goes on where the API refuses it.
		if err := k.decorate(ctx, client, now); err != nil && err.Error() != refused {
			refused = err.Error()
			k.options.Logf("kubelet: %v", err)
		}
		if k.options.Static != nil {
			if err := mirror(ctx, client, now, k.options.Static()); err != nil {
				return err
			}
		}
		k.report(func(s *Status) {
			*s = Status{Healthy: true, Registered: true, Ready: ready, Message: "Health check successful"}
		})
		k.sleep(ctx, leaseInterval/2)
	}
	return nil
}

// decorate applies the configured labels, annotations and taints.
func (k *Kubelet) decorate(ctx context.Context, own kubernetes.Interface, node Node) error {
	client := own
	if k.options.Admin != nil {
		admin, err := k.options.Admin()
		if err != nil {
			return err
		}
		if client, err = kubernetes.NewForConfig(admin); err != nil {
			return err
		}
	}
	return decorate(ctx, client, node)
}
