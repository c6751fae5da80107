package pods

import (
	"context"
	"fmt"
	"log"
	"net/url"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// pause waits before the next start as a kubelet does, and reports the container as waiting.
func (c *container) pause(ctx context.Context) {
	wait := c.backOff
	c.backOff = min(max(2*c.backOff, firstBackOff), longestBackOff)
	c.change(func(s *corev1.ContainerStatus) {
		if s.State.Terminated != nil {
			s.LastTerminationState = s.State
		}
		s.RestartCount++
		if wait > 0 {
			s.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
				Reason:  "CrashLoopBackOff",
				Message: fmt.Sprintf("back-off %s restarting failed container=%s pod=%s", wait, c.spec.Name, c.worker.object().Name),
			}}
		}
	})
	if wait > 0 {
		c.worker.events.Eventf(c.worker.object(), corev1.EventTypeWarning, "BackOff", "Back-off restarting failed container %s", c.spec.Name)
		sleep(ctx, wait)
	}
}

// refuse reports a container that could not be started.
func (c *container) refuse(err error) {
	said := false
	c.change(func(s *corev1.ContainerStatus) {
		said = s.State.Waiting != nil && s.State.Waiting.Message == err.Error()
		s.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
			Reason: "CreateContainerConfigError", Message: err.Error(),
		}}
		s.Ready = false
	})
	if !said {
		log.Printf("pods: %s: %v", c.worker, err)
		c.worker.events.Event(c.worker.object(), corev1.EventTypeWarning, "Failed", "Error: "+err.Error())
	}
}

// lost records that the process ended with its node. It is reported once the node is back.
func (c *container) lost(startedAt metav1.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	end := unseenEnd(startedAt)
	if c.restarts(end.Terminated.ExitCode) {
		c.status.LastTerminationState = end
	} else {
		c.status.State = end
		c.worker.changed()
	}
	c.status.Ready, c.backOff = false, 0
}

// unseenEnd is the state of a container whose end nobody saw, in a kubelet's words.
func unseenEnd(startedAt metav1.Time) corev1.ContainerState {
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		ExitCode: 255, Reason: "Unknown", StartedAt: startedAt, FinishedAt: metav1.Now(),
	}}
}

// restarts reports whether the pod's policy restarts a container that ended with this code.
func (c *container) restarts(code int32) bool {
	switch c.policy {
	case corev1.RestartPolicyNever:
		return false
	case corev1.RestartPolicyOnFailure:
		return code != 0
	}
	return true
}

// isOver reports whether the container has ended and will not be restarted.
func (c *container) isOver() bool {
	status, _ := c.snapshot()
	ended := status.State.Terminated
	return ended != nil && !c.restarts(ended.ExitCode)
}

// pretend reports a container without a program as kwok would.
func (c *container) pretend() {
	c.change(func(s *corev1.ContainerStatus) {
		s.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}}
		s.Ready, s.Started = true, new(true)
		c.begun = true
	})
}

// change changes the container's status and has it reported.
func (c *container) change(f func(*corev1.ContainerStatus)) {
	c.mu.Lock()
	f(&c.status)
	c.mu.Unlock()
	c.worker.changed()
}

// snapshot returns the container's status, and whether it has ever run.
func (c *container) snapshot() (corev1.ContainerStatus, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return *c.status.DeepCopy(), c.begun
}

func makeFolder(path string) error { return os.MkdirAll(path, 0o700) }

// hostOf returns the host of a URL, or the text itself if it is not a URL.
func hostOf(text string) string {
	if parsed, err := url.Parse(text); err == nil && parsed.Hostname() != "" {
		return parsed.Hostname()
	}
	return text
}
