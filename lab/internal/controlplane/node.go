package controlplane

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"github.com/siderolabs/talos/pkg/machinery/config"
)

// Node is the machine that a control plane runs on, as it is configured now.
type Node struct {
	// Config is the machine's active configuration, of a control plane machine.
	Config config.Provider
	// Hostname is the machine's name, which is also its etcd member's.
	Hostname string
	// Address is what everything listens on.
	Address netip.Addr
	// VIPs are the addresses that the control planes share.
	VIPs []netip.Addr
}

// localEndpoint is the API server of this machine.
func (n Node) localEndpoint() string {
	return url(n.Address, n.Config.Cluster().LocalAPIServerPort())
}

func url(address netip.Addr, port int) string {
	return fmt.Sprintf("https://%s", net.JoinHostPort(address.String(), strconv.Itoa(port)))
}
