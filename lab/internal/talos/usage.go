package talos

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"google.golang.org/protobuf/types/known/emptypb"
)

// memoryUse is the memory of all that runs, in KiB, at most nine tenths of the machine's.
func (b *boot) memoryUse() (total, used uint64) {
	total = uint64(b.machine.spec.MemoryMiB) << 10
	for _, each := range b.running() {
		used += each.memoryKiB
	}
	return total, min(used, total/10*9)
}

// Memory returns the machine's memory and what is used of it.
func (m *machined) Memory(context.Context, *emptypb.Empty) (*machine.MemoryResponse, error) {
	total, used := m.memoryUse()
	info := &machine.MemInfo{Memtotal: total, Memfree: total - used, Memavailable: total - used, Anonpages: used, Active: used}
	return &machine.MemoryResponse{Messages: []*machine.Memory{{Meminfo: info}}}, nil
}

// LoadAvg returns the load of a machine that does little.
func (m *machined) LoadAvg(context.Context, *emptypb.Empty) (*machine.LoadAvgResponse, error) {
	return &machine.LoadAvgResponse{Messages: []*machine.LoadAvg{{Load1: 0.1, Load5: 0.1, Load15: 0.1}}}, nil
}

// processorTimes are the times of each processor and of all together, which all that runs shares.
func (b *boot) processorTimes() (each, all *machine.CPUStat) {
	busy := float64(len(b.running())) * b.cpuTime().Seconds()
	cores := float64(max(1, b.machine.spec.Cores))
	each = &machine.CPUStat{User: busy / cores / 2, System: busy / cores / 2, Idle: b.cpuTime().Seconds() * 100}
	return each, &machine.CPUStat{User: each.User * cores, System: each.System * cores, Idle: each.Idle * cores}
}

// SystemStat returns the boot time and the processors' times.
func (m *machined) SystemStat(context.Context, *emptypb.Empty) (*machine.SystemStatResponse, error) {
	each, all := m.processorTimes()
	answer := &machine.SystemStat{
		BootTime: uint64(m.started.Unix()), ProcessCreated: uint64(len(m.running())), ProcessRunning: 1, SoftIrq: &machine.SoftIRQStat{},
		CpuTotal: all,
	}
	for range m.machine.spec.Cores {
		answer.Cpu = append(answer.Cpu, each)
	}
	return &machine.SystemStatResponse{Messages: []*machine.SystemStat{answer}}, nil
}

// CPUInfo returns the machine's processors.
func (m *machined) CPUInfo(context.Context, *emptypb.Empty) (*machine.CPUInfoResponse, error) {
	answer := &machine.CPUsInfo{}
	for core := range m.machine.spec.Cores {
		answer.CpuInfo = append(answer.CpuInfo, &machine.CPUInfo{
			Processor: uint32(core), VendorId: "GenuineIntel", ModelName: "Hearth lab processor", CpuMhz: 2400,
			CoreId: fmt.Sprint(core), CpuCores: uint32(m.machine.spec.Cores), Siblings: uint32(m.machine.spec.Cores), PhysicalId: "0",
		})
	}
	return &machine.CPUInfoResponse{Messages: []*machine.CPUsInfo{answer}}, nil
}

// CPUFreqStats returns no frequencies, as in a virtual machine.
func (m *machined) CPUFreqStats(context.Context, *emptypb.Empty) (*machine.CPUFreqStatsResponse, error) {
	return &machine.CPUFreqStatsResponse{Messages: []*machine.CPUsFreqStats{{}}}, nil
}

// NetworkDeviceStats returns the machine's links. Traffic is not simulated.
func (m *machined) NetworkDeviceStats(context.Context, *emptypb.Empty) (*machine.NetworkDeviceStatsResponse, error) {
	return &machine.NetworkDeviceStatsResponse{Messages: []*machine.NetworkDeviceStats{{
		Devices: []*machine.NetDev{{Name: "lo"}, {Name: linkName}}, Total: &machine.NetDev{Name: "total"},
	}}}, nil
}

// DiskStats returns the machine's disks. Their traffic is not simulated.
func (m *machined) DiskStats(context.Context, *emptypb.Empty) (*machine.DiskStatsResponse, error) {
	answer := &machine.DiskStats{Total: &machine.DiskStat{}}
	for _, disk := range m.machine.spec.Disks {
		answer.Devices = append(answer.Devices, &machine.DiskStat{Name: filepath.Base(disk.Device)})
	}
	return &machine.DiskStatsResponse{Messages: []*machine.DiskStats{answer}}, nil
}

// Mounts returns the file systems of a booted machine, with those of the system disk's volumes.
func (m *machined) Mounts(context.Context, *emptypb.Empty) (*machine.MountsResponse, error) {
	memory := uint64(m.machine.spec.MemoryMiB) << 20
	answer := &machine.Mounts{Stats: []*machine.MountStat{
		{Filesystem: "devtmpfs", MountedOn: "/dev", Size: memory / 2, Available: memory / 2},
		{Filesystem: "proc", MountedOn: "/proc"}, {Filesystem: "sysfs", MountedOn: "/sys"},
		{Filesystem: "tmpfs", MountedOn: "/run", Size: memory / 2, Available: memory / 2},
		{Filesystem: "tmpfs", MountedOn: "/system", Size: memory / 2, Available: memory / 2},
		{Filesystem: "overlay", MountedOn: "/"},
	}}
	record := m.machine.kept()
	for index, label := range systemVolumes {
		where := map[string]string{"STATE": "/system/state", "EPHEMERAL": "/var"}[label]
		if where == "" || !record.Installed || m.inMaintenance() {
			continue
		}
		size := volumeSize(label, m.machine.systemDiskGiB())
		answer.Stats = append(answer.Stats, &machine.MountStat{
			Filesystem: fmt.Sprintf("%s%d", record.SystemDisk, index+4), MountedOn: where, Size: size, Available: size / 10 * 9,
		})
	}
	return &machine.MountsResponse{Messages: []*machine.Mounts{answer}}, nil
}
