package controlplane

import (
	"errors"
	"os"
	"syscall"
	"time"

	"hearth.dev/lab/internal/child"
)

// podsProgram runs the lab's pods: kwok, and the controllers with real processes.
const podsProgram = "pods"

// ensurePods runs the lab's pods beside one control plane of the cluster. If that ends, another takes over within a
// second.
func (c *ControlPlane) ensurePods() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.node == nil || c.running[podsProgram] != nil {
		return nil
	}
	turn, err := c.takeTurn()
	if turn == nil || err != nil {
		return err
	}
	if err := c.launchPods(); err != nil {
		return errors.Join(err, turn.Close())
	}
	c.podsTurn = turn
	return nil
}

// takeTurn acquires the lock that only one control plane of the lab can hold. The kernel releases it with the process.
// It returns nil if another control plane holds the lock.
func (c *ControlPlane) takeTurn() (*os.File, error) {
	file, err := os.OpenFile(c.options.Lab.Path("pods.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, nil
		}
		return nil, err
	}
	return file, nil
}

func (c *ControlPlane) launchPods() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	spec := child.Spec{
		Name: podsProgram, Path: self, Restart: child.Always, StopTimeout: 15 * time.Second, Log: c.LogPath(podsProgram),
		Args: []string{podsProgram, "--config", c.options.Lab.File, "--kubeconfig", c.path("admin.kubeconfig")},
	}
	if err := c.launch(spec, ""); err != nil {
		return err
	}
	c.running[podsProgram].healthy = true
	return nil
}

// stopPods ends the lab's pods if they run here, so that another control plane can run them.
func (c *ControlPlane) stopPods() {
	c.stopProgram(podsProgram)
	if c.podsTurn != nil {
		c.podsTurn.Close()
		c.podsTurn = nil
	}
}
