package talos

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/siderolabs/talos/pkg/machinery/constants"
	corev1 "k8s.io/api/core/v1"
)

// running is a program that runs on the machine: Talos' own, a service in a container, or a container of a pod. What talosctl
// shows of containers, processes, memory and sockets is derived from the same list of them.
type running struct {
	// name is that of the service or container.
	name string
	// namespace is containerd's, empty for a program outside of containers.
	namespace string
	// pod is NAMESPACE/NAME of a container's pod, and uid its UID.
	pod, uid string
	image    string
	args     string
	pid      int32
	// memoryKiB is invented, but the same for the same program.
	memoryKiB uint64
	// ports are the TCP ports that it listens on.
	ports []uint32
}

// display is the name by which talosctl shows a container. Source: siderolabs/talos v1.13.9, internal/pkg/containers/cri.
func (r running) display() string {
	if r.pod == "" {
		return r.name
	}
	if r.name == "" {
		return r.pod
	}
	return fmt.Sprintf("%s:%s:%.12s", r.pod, r.name, r.internalID())
}

func (r running) internalID() string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(r.pod+r.uid+r.name)))
}

// cpuTime grows with the machine's age, a hundredth of it.
func (b *boot) cpuTime() time.Duration { return time.Since(b.started) / 100 }

// running lists what runs, the oldest first.
func (b *boot) running() []running {
	all := []running{
		{name: "init", args: "/sbin/init", pid: 1},
		{name: "machined", args: "/sbin/init", pid: 612},
		{name: "containerd", args: "/bin/containerd --address /system/run/containerd/containerd.sock"},
		{name: "udevd", args: "/sbin/systemd-udevd --resolve-names=never"},
	}
	for _, service := range b.services.list() {
		if service.State == stateRunning && service.Id != "machined" {
			all = append(all, b.service(service.Id))
		}
	}
	b.mu.Lock()
	agent, plane := b.kubelet, b.plane
	b.mu.Unlock()
	if plane != nil || agent != nil {
		all = append(all, running{name: "cri", args: "/bin/containerd --address /run/containerd/containerd.sock --config /etc/cri/containerd.toml"})
	}
	if agent != nil {
		for _, pod := range agent.Pods() {
			all = append(all, containersOf(pod)...)
		}
	}
	for i := range all {
		sum := sha256.Sum256([]byte(all[i].display()))
		if all[i].pid == 0 {
			all[i].pid = 700 + int32(i)*41
		}
		all[i].memoryKiB = 4096 + uint64(binary.BigEndian.Uint16(sum[:2]))
	}
	return all
}

// service is a service of Talos that runs in a container of containerd's namespace "system".
func (b *boot) service(id string) running {
	r := running{name: id, namespace: systemImages, args: "/" + id}
	cfg := b.config()
	switch id {
	case "apid":
		r.ports = []uint32{constants.ApidPort}
	case "trustd":
		r.ports = []uint32{constants.TrustdPort}
	case "etcd":
		r.image, r.args, r.ports = cfg.Cluster().Etcd().Image(), "/usr/local/bin/etcd", []uint32{constants.EtcdClientPort, constants.EtcdPeerPort}
	case "kubelet":
		r.image, r.args, r.ports = cfg.Machine().Kubelet().Image(), "/usr/local/bin/kubelet", []uint32{constants.KubeletPort}
	}
	return r
}

// containersOf are the sandbox and the containers of a pod.
func containersOf(pod *corev1.Pod) []running {
	name := pod.Namespace + "/" + pod.Name
	all := []running{{namespace: podImages, pod: name, uid: string(pod.UID), image: pauseImage, args: "/pause"}}
	for _, container := range pod.Spec.Containers {
		one := running{
			name: container.Name, namespace: podImages, pod: name, uid: string(pod.UID), image: container.Image, args: container.Name,
		}
		if _, isStatic := pod.Annotations[corev1.MirrorPodAnnotationKey]; isStatic || pod.Namespace == "kube-system" {
			one.ports = staticPorts[container.Name]
		}
		all = append(all, one)
	}
	return all
}

var staticPorts = map[string][]uint32{
	"kube-apiserver": {6443}, "kube-controller-manager": {10257}, "kube-scheduler": {10259},
}
