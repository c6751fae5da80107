package kubelet

import (
	"net/netip"

	corev1 "k8s.io/api/core/v1"
)

// addresses returns what the kubelet reports: the machine's own address, the first IPv6 address of its links that the
// configuration admits as the node's, and its name.
//
// Source: siderolabs/talos v1.13.9, internal/app/machined/pkg/controllers/k8s/nodeip.go.
func addresses(node Node) []corev1.NodeAddress {
	reported := []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: node.Address.String()}}
	if second, found := secondAddress(node); found {
		reported = append(reported, corev1.NodeAddress{Type: corev1.NodeInternalIP, Address: second.String()})
	}
	return append(reported, corev1.NodeAddress{Type: corev1.NodeHostName, Address: node.Name})
}

func secondAddress(node Node) (netip.Addr, bool) {
	for _, link := range node.Config.NetworkCommonLinkConfigs() {
		for _, set := range link.Addresses() {
			address := set.Address().Addr()
			if address.Is6() && isAdmitted(address, node.Config.Machine().Kubelet().NodeIP().ValidSubnets()) {
				return address, true
			}
		}
	}
	return netip.Addr{}, false
}

func isAdmitted(address netip.Addr, subnets []string) bool {
	for _, subnet := range subnets {
		if prefix, err := netip.ParsePrefix(subnet); err == nil && prefix.Contains(address) {
			return true
		}
	}
	return false
}
