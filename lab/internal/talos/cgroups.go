package talos

import (
	"fmt"
	"path"

	"github.com/siderolabs/talos/pkg/machinery/constants"
)

// group is the use of a control group with all groups below it.
type group struct {
	pids     []int32
	programs int
	memory   uint64
}

// cgroupOf is the control group of a program. Source: siderolabs/talos v1.13.9, pkg/machinery/constants, Cgroup*.
func cgroupOf(r running) string {
	if r.pod != "" {
		return path.Join("/kubepods/burstable/pod"+r.uid, r.internalID())
	}
	switch r.name {
	case "init", "machined":
		return constants.CgroupInit
	case "containerd":
		return constants.CgroupSystemRuntime
	case "udevd":
		return constants.CgroupUdevd
	case "cri":
		return constants.CgroupPodRuntime
	case "kubelet":
		return constants.CgroupKubelet
	case "etcd":
		return constants.CgroupEtcd
	}
	return path.Join("/system", r.name)
}

// cgroupFiles are the files of control groups, which agree with the processes, containers and memory of the machine.
func (b *boot) cgroupFiles() map[string]string {
	groups := map[string]*group{}
	for _, each := range b.running() {
		for own := cgroupOf(each); ; own = path.Dir(own) {
			if groups[own] == nil {
				groups[own] = &group{}
			}
			groups[own].memory += each.memoryKiB << 10
			groups[own].programs++
			if own == cgroupOf(each) {
				groups[own].pids = append(groups[own].pids, each.pid)
			}
			if own == "/" {
				break
			}
		}
	}
	all := map[string]string{}
	for name, each := range groups {
		processes := ""
		for _, pid := range each.pids {
			processes += fmt.Sprintf("%d\n", pid)
		}
		microseconds := b.cpuTime().Microseconds() * int64(each.programs)
		for file, content := range map[string]string{
			"cgroup.procs": processes, "cgroup.controllers": "cpuset cpu io memory pids\n",
			"memory.current": fmt.Sprintln(each.memory), "memory.peak": fmt.Sprintln(each.memory), "memory.min": "0\n", "memory.low": "0\n",
			"memory.high": "max\n", "memory.max": "max\n", "memory.swap.current": "0\n", "memory.swap.peak": "0\n", "memory.swap.high": "max\n",
			"memory.swap.max": "max\n", "cpu.weight": "100\n", "cpu.weight.nice": "0\n", "cpu.max": "max 100000\n", "cpu.max.burst": "0\n",
			"cpu.stat":     fmt.Sprintf("usage_usec %d\nuser_usec %d\nsystem_usec %d\n", microseconds, microseconds/2, microseconds/2),
			"pids.current": fmt.Sprintln(each.programs), "pids.peak": fmt.Sprintln(each.programs), "pids.max": "max\n", "io.stat": "",
			"cpuset.cpus.effective": fmt.Sprintf("0-%d\n", max(1, b.machine.spec.Cores)-1), "cpuset.mems.effective": "0\n",
		} {
			all[path.Join(constants.CgroupMountPath, name, file)] = content
		}
	}
	return all
}
