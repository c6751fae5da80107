package controlplane

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"github.com/siderolabs/talos/pkg/machinery/config"
)

// Node is the machine of a control plane, with its present configuration.
type Node struct {
	// Config is the machine's active configuration, which is a control plane's.
	Config config.Provider
	// Hostname is the name of the machine and of its etcd member.
	Hostname string
	// Address is the listening address of all programs.
	Address netip.Addr
	// VIPs are the shared addresses of the control planes.
	VIPs []netip.Addr
}

// localEndpoint is the URL of this machine's API server.
func (n Node) localEndpoint() string {
	return url(n.Address, n.Config.Cluster().LocalAPIServerPort())
}

func url(address netip.Addr, port int) string {
	return fmt.Sprintf("https://%s", net.JoinHostPort(address.String(), strconv.Itoa(port)))
}
