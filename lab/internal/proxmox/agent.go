package proxmox

import (
	"net/netip"

	"hearth.dev/lab/internal/guestagent"
)

// agent returns what the guest agent of a call's machine tells: the interfaces of the machine.
// Source: qemu-server 9.2.6, PVE/QemuServer/Agent.pm, assert_agent_available.
func (c *call) agent() ([]guestagent.Interface, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, err := c.vmOf()
	if err != nil {
		return nil, err
	}
	if _, configured := v.Config["agent"]; !configured {
		return nil, fail("No QEMU guest agent configured")
	}
	if !v.Running {
		return nil, fail("VM %d is not running", c.num("vmid"))
	}
	silent := fail("QEMU guest agent is not running")
	if c.processes[v.ID] == nil || !v.agentEnabled() {
		return nil, silent
	}
	interfaces, err := guestagent.Interfaces(c.lab.Path("machines", v.Machine))
	if err != nil {
		return nil, err
	}
	if len(interfaces) == 0 {
		return nil, silent
	}
	return interfaces, nil
}

func agentPing(c *call) (any, error) {
	if _, err := c.agent(); err != nil {
		return nil, err
	}
	return map[string]any{"result": map[string]any{}}, nil
}

// agentInterfaces answers as qemu-ga does: interfaces without an address have no list of addresses, and those without a hardware
// address do not name one. Source: QEMU 10.1, qga/commands-posix.c, qmp_guest_network_get_interfaces.
func agentInterfaces(c *call) (any, error) {
	interfaces, err := c.agent()
	if err != nil {
		return nil, err
	}
	statistics := map[string]int{
		"rx-bytes": 0, "rx-dropped": 0, "rx-errs": 0, "rx-packets": 0, "tx-bytes": 0, "tx-dropped": 0, "tx-errs": 0, "tx-packets": 0,
	}
	list := []map[string]any{}
	for _, each := range interfaces {
		entry := map[string]any{"name": each.Name, "statistics": statistics}
		if each.MAC != "" {
			entry["hardware-address"] = each.MAC
		}
		if len(each.Addresses) > 0 {
			entry["ip-addresses"] = describeAddresses(each.Addresses)
		}
		list = append(list, entry)
	}
	return map[string]any{"result": list}, nil
}

func describeAddresses(addresses []string) []map[string]any {
	list := []map[string]any{}
	for _, address := range addresses {
		prefix, err := netip.ParsePrefix(address)
		if err != nil {
			continue
		}
		kind := map[bool]string{true: "ipv4", false: "ipv6"}[prefix.Addr().Is4()]
		list = append(list, map[string]any{"ip-address": prefix.Addr().String(), "ip-address-type": kind, "prefix": prefix.Bits()})
	}
	return list
}
