package pods

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"hearth.dev/lab/internal/authority"
	"hearth.dev/lab/internal/child"
)

// A kubelet's delays between restarts of a container that keeps ending: none, then 10 s, doubling to 5 min. They start
// over after the container has run for 10 min.
const (
	firstBackOff   = 10 * time.Second
	longestBackOff = 5 * time.Minute
	backOffMemory  = 10 * time.Minute
)

// container runs a container of a pod: as a process, or simulated if the image is unknown.
type container struct {
	worker  *worker
	spec    *corev1.Container
	program *program
	policy  corev1.RestartPolicy
	backOff time.Duration
	// unhealthy receives the reason of a failed probe, which ends the process.
	unhealthy chan string

	mu     sync.Mutex
	status corev1.ContainerStatus
	begun  bool
}

func newContainer(w *worker, spec *corev1.Container, before []corev1.ContainerStatus) *container {
	c := &container{
		worker: w, spec: spec, program: w.runner.known.ofImage(spec.Image), policy: w.pod.Spec.RestartPolicy,
		unhealthy: make(chan string, 1),
	}
	c.status = corev1.ContainerStatus{
		Name: spec.Name, Image: spec.Image,
		State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}},
	}
	for _, old := range before {
		if old.Name == spec.Name {
			c.remember(old)
		}
	}
	return c
}

// remember adopts a container's earlier status, from before the runner started. Its process no longer exists.
func (c *container) remember(old corev1.ContainerStatus) {
	c.status.RestartCount, c.status.LastTerminationState = old.RestartCount, old.LastTerminationState
	c.begun = old.State.Running != nil || old.LastTerminationState.Terminated != nil
	end := old.State
	if running := old.State.Running; running != nil && c.program != nil {
		end = unseenEnd(running.StartedAt)
	}
	switch {
	case end.Terminated == nil:
	case !c.restarts(end.Terminated.ExitCode):
		c.status.State, c.begun = end, true
	case old.State.Running != nil:
		c.status.LastTerminationState = end
		c.status.RestartCount++
	}
}

// run keeps the container running according to its pod's restart policy, until ctx ends.
func (c *container) run(ctx context.Context) {
	if c.program == nil {
		c.pretend()
		<-ctx.Done()
		return
	}
	if tag := imageTag(c.spec.Image); tag != "" && c.program.version != "" && !sameVersion(tag, c.program.version) {
		log.Printf("pods: %s: image %s runs %s %s", c.worker, c.spec.Image, c.program.name, c.program.version)
	}
	for ctx.Err() == nil {
		if c.isOver() {
			<-ctx.Done()
			return
		}
		if c.worker.host.alive.wait(ctx, true) != nil {
			return
		}
		closings := c.worker.host.alive.closings()
		process, err := c.start(ctx)
		if err != nil {
			if ctx.Err() == nil {
				c.refuse(err)
				sleep(ctx, retryPause)
			}
			continue
		}
		c.watch(ctx, process, closings)
		if ctx.Err() == nil && !c.isOver() {
			c.pause(ctx)
		}
	}
}

// start starts the process and reports it as running.
func (c *container) start(ctx context.Context) (*child.Child, error) {
	spec, err := c.command(ctx)
	if err != nil {
		return nil, err
	}
	process, err := child.Start(context.WithoutCancel(ctx), *spec)
	if err != nil {
		return nil, err
	}
	c.change(func(s *corev1.ContainerStatus) {
		s.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}}
		s.ContainerID = fmt.Sprintf("process://%d", process.Status().Pid)
		s.ImageID = c.program.name + "@" + c.program.version
		s.Started, s.Ready = new(c.spec.StartupProbe == nil), c.spec.StartupProbe == nil && c.spec.ReadinessProbe == nil
		c.begun = true
	})
	c.worker.events.Eventf(c.worker.object(), corev1.EventTypeNormal, "Started", "Started container %s", c.spec.Name)
	return process, nil
}

// command describes how to start the process.
func (c *container) command(ctx context.Context) (*child.Spec, error) {
	w := c.worker
	program, first, err := c.program.called(c.spec.Command)
	if err != nil {
		return nil, err
	}
	pod := w.addressed()
	local, err := loopback(pod.Status.PodIP)
	if err != nil {
		return nil, err
	}
	env, err := environment(ctx, w.runner.client, pod, w.node, c.spec)
	if err != nil {
		return nil, err
	}
	mounts := w.volumes.mounts(c.spec, env.values)
	args := make([]string, 0, len(first)+len(c.spec.Args))
	for _, arg := range slices.Concat(first, c.spec.Args) {
		args = append(args, relocated(expanded(arg, env.values), mounts))
	}
	for name, value := range env.values {
		env.values[name] = relocated(value, mounts)
	}
	if err := c.outside(env, mounts, program.env); err != nil {
		return nil, err
	}
	return &child.Spec{
		Name: fmt.Sprintf("%s %s", w, c.spec.Name),
		Path: program.path, Args: program.arguments(args, pod.Status.PodIP, local),
		Env: env.list(), Dir: w.root,
		Log:         w.runner.logFile(pod, c.spec.Name),
		StopTimeout: c.grace(),
	}, nil
}

// outside adds what a process needs because it does not run in a real container: credentials, the cluster's network,
// the simulated Internet's certificate authority, and writable folders.
func (c *container) outside(env *variables, mounts []mount, more map[string]string) error {
	w := c.worker
	temporary := relocated("/tmp", mounts)
	if temporary == "/tmp" {
		temporary = filepath.Join(w.root, "tmp")
	}
	temporary = w.runner.temporary.folder(string(w.object().UID), temporary)
	if err := makeFolder(temporary); err != nil {
		return err
	}
	kubeconfig, err := writeKubeconfig(filepath.Join(w.root, c.spec.Name), w.runner.config, w.object().Namespace, mounts)
	if err != nil {
		return err
	}
	if kubeconfig != "" {
		env.set("KUBECONFIG", kubeconfig)
	}
	if _, configured := env.values["GOGC"]; !configured {
		// More memory for less processor time, of which Flux's controllers need a quarter less.
		env.set("GOGC", "400")
	}
	env.set("PATH", searchPath)
	env.set("HOME", w.root)
	env.set("TMPDIR", temporary)
	env.set("HOSTNAME", w.object().Name)
	env.set("SSL_CERT_FILE", authority.File(w.runner.lab.Dir))
	exempt := "127.0.0.0/8,localhost," + hostOf(w.runner.config.Host)
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		env.set(name, w.runner.proxy)
	}
	env.set("NO_PROXY", exempt)
	env.set("no_proxy", exempt)
	for name, value := range more {
		env.set(name, value)
	}
	return nil
}

// watch returns when the process has ended: by itself, or because of a probe, its node or the pod. closings is the
// number of the node's failures when the process started.
func (c *container) watch(ctx context.Context, process *child.Child, closings int) {
	probing, end := context.WithCancel(ctx)
	defer end()
	startedAt := metav1.Now()
	go c.probe(probing)
	reason, message := "", ""
	for waiting := true; waiting; {
		_, changed := c.worker.host.alive.state()
		if c.worker.host.alive.closings() != closings {
			kill(process)
			<-process.Done()
			c.lost(startedAt)
			return
		}
		select {
		case <-process.Done():
			waiting = false
		case message = <-c.unhealthy:
			c.worker.events.Event(c.worker.object(), corev1.EventTypeNormal, "Killing", message)
			process.Stop()
		case <-ctx.Done():
			c.stop(process)
		case <-changed:
		}
	}
	code := exitCode(process.Wait())
	if reason = "Completed"; code != 0 {
		reason = "Error"
	}
	c.change(func(s *corev1.ContainerStatus) {
		s.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: code, Reason: reason, StartedAt: startedAt, FinishedAt: metav1.Now(), ContainerID: s.ContainerID,
		}}
		s.Ready, s.Started = false, new(false)
	})
	if time.Since(startedAt.Time) >= backOffMemory {
		c.backOff = 0
	}
}

// stop ends the process within the pod's grace period.
func (c *container) stop(process *child.Child) {
	grace := c.grace()
	if pod := c.worker.object(); pod.DeletionGracePeriodSeconds != nil {
		grace = time.Duration(*pod.DeletionGracePeriodSeconds) * time.Second
	}
	if open, _ := c.worker.gone.state(); open {
		grace = 0
	}
	timer := time.AfterFunc(grace, func() { kill(process) })
	defer timer.Stop()
	process.Stop()
}

func (c *container) grace() time.Duration {
	if seconds := c.worker.object().Spec.TerminationGracePeriodSeconds; seconds != nil && *seconds > 0 {
		return time.Duration(*seconds) * time.Second
	}
	return time.Second
}

// kill ends the process and its group immediately.
func kill(process *child.Child) {
	if pid := process.Status().Pid; pid > 0 {
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	}
}

func exitCode(err error) int32 {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &exit):
		return 255
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int32(status.Signal())
	}
	return int32(exit.ExitCode())
}
