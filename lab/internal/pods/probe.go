package pods

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// probe runs the container's probes while its process runs: first the startup probe, then the others.
func (c *container) probe(ctx context.Context) {
	if c.spec.StartupProbe != nil {
		if !c.startup(ctx) {
			return
		}
		c.change(func(s *corev1.ContainerStatus) {
			s.Started, s.Ready = new(true), c.spec.ReadinessProbe == nil
		})
	}
	var all sync.WaitGroup
	if p := c.spec.ReadinessProbe; p != nil {
		all.Go(func() {
			c.repeat(ctx, p, "Readiness", false, func(ok bool) bool {
				c.change(func(s *corev1.ContainerStatus) { s.Ready = ok && s.State.Running != nil })
				return true
			})
		})
	}
	if p := c.spec.LivenessProbe; p != nil {
		all.Go(func() {
			c.repeat(ctx, p, "Liveness", true, func(ok bool) bool {
				if !ok {
					c.fail(fmt.Sprintf("Container %s failed liveness probe, will be restarted", c.spec.Name))
				}
				return ok
			})
		})
	}
	all.Wait()
}

// startup returns true once the startup probe has passed.
func (c *container) startup(ctx context.Context) bool {
	passed := false
	c.repeat(ctx, c.spec.StartupProbe, "Startup", false, func(ok bool) bool {
		if passed = ok; !ok {
			c.fail(fmt.Sprintf("Container %s failed startup probe, will be restarted", c.spec.Name))
		}
		return false
	})
	return passed
}

func (c *container) fail(message string) {
	select {
	case c.unhealthy <- message:
	default:
	}
}

// eager is the interval before a probe's first success. A kubelet waits for a whole period even then, which only
// reports a process as ready later than it is.
const eager = 500 * time.Millisecond

// repeat runs a probe and calls changed with every change of its result, until changed returns false or ctx ends. The
// initial result is a kubelet's: not ready, not started, alive. A probe that has failed from the start is reported
// once, when it reaches its threshold.
func (c *container) repeat(ctx context.Context, p *corev1.Probe, kind string, result bool, changed func(ok bool) bool) {
	if !sleep(ctx, time.Duration(p.InitialDelaySeconds)*time.Second) {
		return
	}
	period := time.Duration(max(p.PeriodSeconds, 1)) * time.Second
	successes, failures, told := int32(0), int32(0), kind == "Liveness"
	var counted time.Time
	for {
		err := c.once(ctx, p)
		if ctx.Err() != nil {
			return
		}
		switch {
		case err == nil:
			successes, failures = successes+1, 0
		case time.Since(counted) >= period-eager/2:
			counted = time.Now()
			successes, failures = 0, failures+1
			c.worker.events.Eventf(c.worker.object(), corev1.EventTypeWarning, "Unhealthy", "%s probe failed: %v", kind, err)
		}
		now := result
		if successes >= max(p.SuccessThreshold, 1) {
			now = true
		} else if failures >= max(p.FailureThreshold, 1) {
			now = false
		}
		if now != result || !told && failures >= max(p.FailureThreshold, 1) {
			result, told = now, true
			if !changed(result) {
				return
			}
		}
		pause := period
		if !result && successes == 0 {
			pause = min(eager, period)
		}
		if !sleep(ctx, pause) {
			return
		}
	}
}

// once probes the process at the pod's loopback address.
func (c *container) once(ctx context.Context, p *corev1.Probe) error {
	timeout := time.Duration(max(p.TimeoutSeconds, 1)) * time.Second
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	local, err := loopback(c.worker.addressed().Status.PodIP)
	if err != nil {
		return err
	}
	switch {
	case p.HTTPGet != nil:
		return c.httpGet(ctx, p.HTTPGet, local)
	case p.TCPSocket != nil:
		port, err := c.port(p.TCPSocket.Port)
		if err != nil {
			return err
		}
		connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(local, port))
		if err == nil {
			connection.Close()
		}
		return err
	}
	return errors.New("the lab probes by httpGet and tcpSocket only")
}

// prober is like a kubelet's client: it accepts any certificate, follows no redirect and uses no proxy.
var prober = &http.Client{
	Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true,
	},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func (c *container) httpGet(ctx context.Context, get *corev1.HTTPGetAction, local string) error {
	port, err := c.port(get.Port)
	if err != nil {
		return err
	}
	scheme := "http"
	if get.Scheme == corev1.URISchemeHTTPS {
		scheme = "https"
	}
	url := fmt.Sprintf("%s://%s%s", scheme, net.JoinHostPort(local, port), get.Path)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	request.Header.Set("User-Agent", "kube-probe/1.36")
	for _, header := range get.HTTPHeaders {
		request.Header.Add(header.Name, header.Value)
	}
	answer, err := prober.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 10<<10))
	if answer.StatusCode < 200 || answer.StatusCode >= 400 {
		return fmt.Errorf("HTTP probe failed with statuscode: %d", answer.StatusCode)
	}
	return nil
}

// port returns a probe's port as a number. It looks up a name among the container's ports.
func (c *container) port(port intstr.IntOrString) (string, error) {
	if port.Type == intstr.Int {
		return strconv.Itoa(port.IntValue()), nil
	}
	for _, declared := range c.spec.Ports {
		if declared.Name == port.StrVal {
			return strconv.Itoa(int(declared.ContainerPort)), nil
		}
	}
	return "", fmt.Errorf("container %s has no port called %s", c.spec.Name, port.StrVal)
}
