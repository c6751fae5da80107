package talos

import (
	"fmt"
	"slices"
	"time"

	"github.com/cosi-project/runtime/pkg/resource"
	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"github.com/siderolabs/talos/pkg/machinery/resources/etcd"
	"github.com/siderolabs/talos/pkg/machinery/resources/k8s"
	"github.com/siderolabs/talos/pkg/machinery/resources/runtime"
	"hearth.dev/lab/internal/kubelet"
	"k8s.io/client-go/rest"
)

// newServices returns the services with machined, which runs as long as the boot.
func newServices(changed func(*machine.ServiceInfo)) *services {
	s := &services{all: map[string]*machine.ServiceInfo{}, changed: changed}
	s.set("machined", stateRunning, "Service started as goroutine")
	s.health("machined", true, "Health check successful")
	return s
}

// setStage publishes the machine's stage.
func (b *boot) setStage(stage runtime.MachineStage) {
	b.mu.Lock()
	b.stage = stage
	agent := b.kubelet
	b.mu.Unlock()
	if agent != nil {
		agent.Update(b.kubeletNode())
	}
	b.publishStatus()
}

// publishStatus publishes the stage, and whether the machine is ready.
func (b *boot) publishStatus() {
	b.mu.Lock()
	stage := b.stage
	b.mu.Unlock()
	unmet := b.unmet(stage)
	changed := false
	put(b, runtime.NewMachineStatus(), func(r *runtime.MachineStatus) {
		spec := r.TypedSpec()
		changed = spec.Stage != stage || !slices.Equal(spec.Status.UnmetConditions, unmet) || spec.Status.Ready != (len(unmet) == 0)
		spec.Stage, spec.Status.Ready, spec.Status.UnmetConditions = stage, len(unmet) == 0, unmet
	})
	if !changed {
		return
	}
	if stage == runtime.MachineStageRunning && len(unmet) == 0 {
		b.machine.keepUpgrade()
	}
	event := &machine.MachineStatusEvent{
		Stage:  machine.MachineStatusEvent_MachineStage(stage),
		Status: &machine.MachineStatusEvent_MachineStatus{Ready: len(unmet) == 0},
	}
	for _, each := range unmet {
		event.Status.UnmetConditions = append(event.Status.UnmetConditions,
			&machine.MachineStatusEvent_MachineStatus_UnmetCondition{Name: each.Name, Reason: each.Reason})
	}
	b.events.publish("", event)
}

// unmet returns the conditions that keep a running machine from being ready.
func (b *boot) unmet(stage runtime.MachineStage) []runtime.UnmetCondition {
	if stage != runtime.MachineStageRunning {
		return nil
	}
	var all []runtime.UnmetCondition
	var waiting []string
	for _, service := range b.services.list() {
		if service.State != stateRunning || (!service.Health.Unknown && !service.Health.Healthy) {
			waiting = append(waiting, service.Id)
		}
	}
	if len(waiting) > 0 {
		all = append(all, runtime.UnmetCondition{Name: "services", Reason: fmt.Sprintf("services not running or not healthy: %v", waiting)})
	}
	b.mu.Lock()
	agent, plane, name := b.kubelet, b.plane, b.hostname
	b.mu.Unlock()
	if agent != nil && !agent.Status().Ready {
		all = append(all, runtime.UnmetCondition{Name: "nodeReady", Reason: fmt.Sprintf("node %q status is not available or not ready yet", name)})
	}
	if plane != nil {
		for _, program := range plane.Programs() {
			if program.Name != "etcd" && !program.Healthy {
				all = append(all, runtime.UnmetCondition{Name: "staticPods", Reason: program.Name + " not ready"})
			}
		}
	}
	return all
}

// watch updates services and status as long as the boot lasts.
func (b *boot) watch() {
	for measured := time.Now(); b.ctx.Err() == nil; {
		b.refresh()
		if time.Since(measured) > performanceInterval {
			b.publishPerformance()
			measured = time.Now()
		}
		sleep(b.ctx, time.Second)
	}
}

// refresh updates the status of Kubernetes on this machine.
func (b *boot) refresh() {
	b.mu.Lock()
	plane, agent, leaving := b.plane, b.kubelet, b.leaving
	b.mu.Unlock()
	if leaving || b.ctx.Err() != nil {
		return
	}
	if plane != nil {
		b.refreshPlane()
	}
	if agent != nil {
		b.showKubelet(agent)
	}
	b.publishStatus()
}

// showKubelet publishes the kubelet's state, unless the kubelet has been stopped meanwhile.
func (b *boot) showKubelet(agent *kubelet.Kubelet) {
	b.showing.Lock()
	defer b.showing.Unlock()
	b.mu.Lock()
	stopped := b.kubelet != agent
	b.mu.Unlock()
	if stopped {
		return
	}
	status := agent.Status()
	b.services.set("kubelet", stateRunning, "Started")
	b.services.health("kubelet", status.Healthy, status.Message)
	b.publishNode(status.Registered, status.Ready)
}

func (b *boot) refreshPlane() {
	b.publishStaticPods()
	seen := map[string]bool{}
	statuses := map[resource.ID]bool{}
	for _, program := range b.plane.Programs() {
		if program.Name == "etcd" {
			seen["etcd"] = true
			if program.Running {
				b.services.set("etcd", stateRunning, "Started")
				b.services.health("etcd", program.Healthy, program.Message)
			}
			continue
		}
		seen[program.Name] = true
		id := "kube-system/" + program.Name + "-" + b.name()
		statuses[id] = true
		put(b, k8s.NewStaticPodStatus(k8s.NamespaceName, id), func(r *k8s.StaticPodStatus) {
			ready := "False"
			if program.Healthy {
				ready = "True"
			}
			r.TypedSpec().PodStatus = map[string]any{
				"phase": "Running", "conditions": []any{map[string]any{"type": "Ready", "status": ready}},
			}
		})
	}
	b.keepOnly(k8s.NewStaticPodStatus(k8s.NamespaceName, "").Metadata(), statuses)
	if !seen["etcd"] {
		b.services.set("etcd", statePrepare, "Running pre state")
	}
	if id, ok := b.plane.MemberID(); ok {
		put(b, etcd.NewMember(etcd.NamespaceName, etcd.LocalMemberID), func(r *etcd.Member) {
			r.TypedSpec().MemberID = etcd.FormatMemberID(id)
		})
	}
}

// name is the machine's hostname.
func (b *boot) name() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.hostname
}

func (b *boot) publishNode(registered, ready bool) {
	if !registered {
		return
	}
	b.mu.Lock()
	name := b.hostname
	b.mu.Unlock()
	put(b, k8s.NewNodeStatus(k8s.NamespaceName, name), func(r *k8s.NodeStatus) {
		r.TypedSpec().Nodename, r.TypedSpec().NodeReady = name, ready
	})
}

// adminConfig returns the credentials with which a control plane labels and taints its node, nil on workers.
func (b *boot) adminConfig() func() (*rest.Config, error) {
	b.mu.Lock()
	plane := b.plane
	b.mu.Unlock()
	if plane == nil {
		return nil
	}
	return plane.AdminConfig
}
