package pods

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"

	"hearth.dev/lab/internal/authority"
	"hearth.dev/lab/internal/labconfig"
)

// runner manages the pods that have a known image.
type runner struct {
	lab    *labconfig.Lab
	config *rest.Config
	client kubernetes.Interface
	known  programs
	// storage holds the data of volumes. It is nil if volumes hold no data.
	storage   *storage
	temporary temporary
	// proxy is the URL of the cluster network's proxy.
	proxy    string
	pods     listers.PodLister
	nodes    listers.NodeLister
	recorder record.EventBroadcaster
	events   chan podEvent
	// newNodes receives each node when it is first seen.
	newNodes chan *corev1.Node

	mu      sync.Mutex
	workers map[types.UID]*worker
	hosts   map[string]*host
	// reserved are the addresses of workers, which may not be in their pods' statuses yet.
	reserved map[string]reservation
}

// reservation is a pod's claim to its address.
type reservation struct {
	owner types.UID
	// hold reserves the address among the labs on this computer.
	hold net.Listener
}

// host is the runner's knowledge of a node.
type host struct {
	// alive is open while the machine renews its lease, ready while the node can run any pod.
	alive, ready *gate
	// met is done once the node's address is known.
	met sync.Once
	// boot is the machine's boot ID, which changes at every boot.
	boot string
}

type podEvent struct {
	pod  *corev1.Pod
	gone bool
}

func newRunner(lab *labconfig.Lab, config *rest.Config, client kubernetes.Interface, factory informers.SharedInformerFactory, known programs, proxy string) (*runner, error) {
	if _, err := authority.Open(lab.Dir); err != nil {
		return nil, err
	}
	r := &runner{
		lab: lab, config: config, client: client, known: known, proxy: proxy,
		pods: factory.Core().V1().Pods().Lister(), nodes: factory.Core().V1().Nodes().Lister(),
		recorder: record.NewBroadcaster(), temporary: newTemporary(memory, lab.Dir, room), events: make(chan podEvent, 1024), newNodes: make(chan *corev1.Node, 64),
		workers: map[types.UID]*worker{}, hosts: map[string]*host{}, reserved: map[string]reservation{},
	}
	_, err := factory.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { r.events <- podEvent{pod: o.(*corev1.Pod)} },
		UpdateFunc: func(_, o any) { r.events <- podEvent{pod: o.(*corev1.Pod)} },
		DeleteFunc: func(o any) {
			if unknown, ok := o.(cache.DeletedFinalStateUnknown); ok {
				o = unknown.Obj
			}
			if pod, ok := o.(*corev1.Pod); ok {
				r.events <- podEvent{pod: pod, gone: true}
			}
		},
	})
	if err != nil {
		return nil, err
	}
	_, err = factory.Core().V1().Nodes().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { r.nodeChanged(o.(*corev1.Node)) },
		UpdateFunc: func(_, o any) { r.nodeChanged(o.(*corev1.Node)) },
		DeleteFunc: func(o any) {
			if name, err := cache.DeletionHandlingMetaNamespaceKeyFunc(o); err == nil {
				h := r.host(name)
				h.alive.set(false)
				h.ready.set(false)
			}
		},
	})
	return r, err
}

// run manages pods until ctx ends, then gives their processes time to end.
func (r *runner) run(ctx context.Context) {
	r.recorder.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: r.client.CoreV1().Events("")})
	defer r.recorder.Shutdown()
	r.sweep()
	var workers sync.WaitGroup
	for {
		select {
		case event := <-r.events:
			r.handle(ctx, event, &workers)
		case node := <-r.newNodes:
			go r.serveKubelet(ctx, node)
		case <-ctx.Done():
			ended := make(chan struct{})
			go func() { workers.Wait(); close(ended) }()
			select {
			case <-ended:
			case <-time.After(stopTimeout):
				log.Print("pods: some controllers did not end in time and are killed")
			}
			return
		}
	}
}

// handle passes an event to the pod's worker. The pod's first event creates the worker.
func (r *runner) handle(ctx context.Context, event podEvent, workers *sync.WaitGroup) {
	pod := event.pod
	if pod.Spec.NodeName == "" || !r.isReal(pod) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	w, exists := r.workers[pod.UID]
	if !exists {
		if event.gone {
			return
		}
		w = newWorker(r, pod)
		r.workers[pod.UID] = w
		workers.Go(func() {
			w.run(ctx)
			r.forget(pod.UID)
		})
	}
	w.update(pod, event.gone)
}

// isReal reports whether one of the pod's containers has a known image.
func (r *runner) isReal(pod *corev1.Pod) bool {
	for _, container := range pod.Spec.Containers {
		if r.known.ofImage(container.Image) != nil {
			return true
		}
	}
	return false
}

func (r *runner) forget(uid types.UID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.workers, uid)
	for address, reserved := range r.reserved {
		if reserved.owner == uid {
			reserved.hold.Close()
			delete(r.reserved, address)
		}
	}
}

func (r *runner) host(name string) *host {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.hosts[name]
	if h == nil {
		h = &host{alive: newGate(), ready: newGate()}
		r.hosts[name] = h
	}
	return h
}

// nodeChanged follows a node. When the machine's lease expires, the control plane sets Ready to Unknown. When the
// machine boots, its boot ID changes. In both cases a real machine would have lost its processes.
func (r *runner) nodeChanged(node *corev1.Node) {
	ready := corev1.ConditionUnknown
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			ready = condition.Status
		}
	}
	h := r.host(node.Name)
	if boot := node.Status.NodeInfo.BootID; boot != h.boot && boot != "" {
		if h.boot != "" {
			h.alive.set(false)
		}
		h.boot = boot
	}
	h.alive.set(ready != corev1.ConditionUnknown)
	h.ready.set(ready == corev1.ConditionTrue)
	if nodeAddress(node) != "" {
		h.met.Do(func() { r.newNodes <- node })
	}
}

// address returns a pod's address: the present one if it is still valid, or a free one of its node's range.
func (r *runner) address(pod *corev1.Pod, node *corev1.Node) (string, error) {
	if pod.Spec.HostNetwork {
		if address := nodeAddress(node); address != "" {
			return address, nil
		}
		return "", fmt.Errorf("node %s has no internal address", node.Name)
	}
	if node.Spec.PodCIDR == "" {
		return "", fmt.Errorf("node %s has no podCIDR", node.Name)
	}
	all, err := r.pods.List(everything)
	if err != nil {
		return "", err
	}
	used := map[string]bool{}
	for _, other := range all {
		if other.UID != pod.UID && !other.Spec.HostNetwork {
			used[other.Status.PodIP] = true
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if address := pod.Status.PodIP; address != "" && !used[address] && r.reserve(address, pod.UID, nil) {
		return address, nil
	}
	return freeAddress(node.Spec.PodCIDR, func(address string) bool {
		return !used[address] && r.reserve(address, pod.UID, portsOf(pod))
	})
}

// reserve reserves an address for a pod. It fails if another pod has the address, in this lab or another on this
// computer, or if something listens on one of the ports.
func (r *runner) reserve(address string, owner types.UID, ports []int32) bool {
	if reserved, exists := r.reserved[address]; exists {
		return reserved.owner == owner
	}
	local, err := loopback(address)
	if err != nil {
		return false
	}
	hold, err := holdAddress(local)
	if err != nil {
		return false
	}
	if !portsFree(local, ports) {
		hold.Close()
		return false
	}
	r.reserved[address] = reservation{owner, hold}
	return true
}

// loopbackOf returns the loopback address of the process of the pod with this address. It returns false if there is no
// real process.
func (r *runner) loopbackOf(address string) (string, bool) {
	r.mu.Lock()
	_, reserved := r.reserved[address]
	r.mu.Unlock()
	if !reserved {
		return "", false
	}
	local, err := loopback(address)
	return local, err == nil
}

// sweep deletes the folders of pods that were deleted while the runner did not run.
func (r *runner) sweep() {
	all, err := r.pods.List(everything)
	if err != nil {
		return
	}
	alive := map[string]bool{}
	for _, pod := range all {
		alive[string(pod.UID)] = true
	}
	folders, _ := os.ReadDir(r.lab.Path("pods"))
	for _, folder := range folders {
		if !alive[folder.Name()] {
			_ = os.RemoveAll(filepath.Join(r.lab.Path("pods"), folder.Name()))
		}
	}
}

// eventsOf records events as the kubelet of the pod's node, as `kubectl describe` expects.
func (r *runner) eventsOf(node string) record.EventRecorder {
	return r.recorder.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "kubelet", Host: node})
}
