package pods

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/tools/record"
)

var everything = labels.Everything()

const (
	// retryPause is the delay before the runner retries to prepare a pod, as in a kubelet's sync.
	retryPause = 2 * time.Second
	// refreshPeriod is the interval at which volumes are updated.
	refreshPeriod = 30 * time.Second
)

// worker manages one pod.
type worker struct {
	runner  *runner
	root    string
	events  record.EventRecorder
	host    *host
	volumes *volumes
	started time.Time

	// deleting is open once the pod is being deleted, gone once its object no longer exists.
	deleting, gone *gate

	mu         sync.Mutex
	pod        *corev1.Pod
	node       *corev1.Node
	address    string
	containers []*container
	dirty      chan struct{}
}

func newWorker(r *runner, pod *corev1.Pod) *worker {
	root := r.lab.Path("pods", string(pod.UID))
	w := &worker{
		runner: r, root: root, events: r.eventsOf(pod.Spec.NodeName), pod: pod, started: time.Now(),
		volumes: &volumes{
			client: r.client, storage: r.storage, root: root, mounted: map[string]string{}, renewals: map[string]time.Time{},
		},
		deleting: newGate(), gone: newGate(), dirty: make(chan struct{}, 1),
	}
	if pod.Status.StartTime != nil {
		w.started = pod.Status.StartTime.Time
	}
	for i := range pod.Spec.Containers {
		w.containers = append(w.containers, newContainer(w, &pod.Spec.Containers[i], pod.Status.ContainerStatuses))
	}
	return w
}

// update takes the newest state of the pod's object.
func (w *worker) update(pod *corev1.Pod, gone bool) {
	w.mu.Lock()
	w.pod = pod
	w.mu.Unlock()
	if gone {
		w.gone.set(true)
	}
	if gone || pod.DeletionTimestamp != nil {
		w.deleting.set(true)
	}
}

func (w *worker) object() *corev1.Pod {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pod
}

// run manages the pod until it is gone or the runner ends.
func (w *worker) run(ctx context.Context) {
	w.host = w.runner.host(w.object().Spec.NodeName)
	living, end := context.WithCancel(ctx)
	defer end()
	go func() {
		if w.deleting.wait(living, true) == nil {
			end()
		}
	}()
	var background sync.WaitGroup
	background.Go(func() { w.report(ctx) })
	if w.isOver() {
		w.changed()
		<-living.Done()
	} else if w.prepare(living) {
		var all sync.WaitGroup
		for _, c := range w.containers {
			all.Go(func() { c.run(living) })
		}
		background.Go(func() { w.refresh(living) })
		all.Wait()
	}
	if ctx.Err() == nil {
		w.remove(ctx)
		w.gone.set(true)
	}
	background.Wait()
}

// isOver reports whether all of the pod's containers have ended and will not be restarted.
func (w *worker) isOver() bool {
	return !slices.ContainsFunc(w.containers, func(c *container) bool { return !c.isOver() })
}

// prepare prepares the pod's address and volumes. It returns false if the pod is being deleted.
func (w *worker) prepare(ctx context.Context) bool {
	for said := ""; ; {
		err := w.tryPrepare(ctx)
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		if errors.Is(err, errAttaching) {
			sleep(ctx, storagePause)
			continue
		}
		if err.Error() != said {
			said = err.Error()
			w.events.Event(w.object(), corev1.EventTypeWarning, "FailedMount", said)
			log.Printf("pods: %s: %s", w, said)
		}
		w.changed()
		sleep(ctx, retryPause)
	}
}

func (w *worker) tryPrepare(ctx context.Context) error {
	pod := w.object()
	needs := w.host.ready
	if pod.Spec.HostNetwork {
		needs = w.host.alive
	}
	if err := needs.wait(ctx, true); err != nil {
		return err
	}
	node, err := w.runner.nodes.Get(pod.Spec.NodeName)
	if err != nil {
		return err
	}
	address, err := w.runner.address(pod, node)
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.node, w.address = node, address
	w.mu.Unlock()
	w.changed()
	if err := os.MkdirAll(w.root, 0o700); err != nil {
		return err
	}
	return w.volumes.materialise(ctx, w.addressed())
}

// addressed returns the pod with the address that its status will have.
func (w *worker) addressed() *corev1.Pod {
	w.mu.Lock()
	defer w.mu.Unlock()
	pod := w.pod.DeepCopy()
	pod.Status.PodIP = w.address
	if w.node != nil {
		pod.Status.HostIP = nodeAddress(w.node)
	}
	return pod
}

// refresh updates volumes: it renews tokens before they expire, and configuration soon after it has changed.
func (w *worker) refresh(ctx context.Context) {
	for sleep(ctx, refreshPeriod) {
		if err := w.volumes.materialise(ctx, w.addressed()); err != nil && ctx.Err() == nil {
			log.Printf("pods: %s: %v", w, err)
		}
	}
}

func (w *worker) String() string {
	pod := w.object()
	return fmt.Sprintf("%s/%s", pod.Namespace, pod.Name)
}

// sleep waits. It returns false if ctx ends first.
func sleep(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
