package pods

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// loopback returns the address on which a pod's process listens: the pod's address with 127 as the first octet.
func loopback(address string) (string, error) {
	ip, err := netip.ParseAddr(address)
	if err != nil || !ip.Is4() {
		return "", fmt.Errorf("%q is not an IPv4 address", address)
	}
	bytes := ip.As4()
	bytes[0] = 127
	return netip.AddrFrom4(bytes).String(), nil
}

// freeAddress takes a pod address from a node's range. It counts down from the end, because kwok counts up from the
// start.
func freeAddress(cidr string, take func(address string) bool) (string, error) {
	prefix, err := netip.ParsePrefix(cidr)
	if err != nil || !prefix.Addr().Is4() {
		return "", fmt.Errorf("podCIDR %q is not an IPv4 range", cidr)
	}
	for ip := lastOf(prefix).Prev(); prefix.Contains(ip) && ip != prefix.Masked().Addr(); ip = ip.Prev() {
		if address := ip.String(); take(address) {
			return address, nil
		}
	}
	return "", fmt.Errorf("no free address in podCIDR %s", cidr)
}

// holdPort is the port on which a lab listens at each address of its pods. It is above the ephemeral ports.
const holdPort = 61001

// holdAddress reserves an address until the listener is closed. Labs on the same computer use the same pod ranges, so
// both could take an address on which nobody listens yet.
func holdAddress(local string) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort(local, strconv.Itoa(holdPort)))
}

// lastOf returns the highest address of a range.
func lastOf(prefix netip.Prefix) netip.Addr {
	bytes := prefix.Masked().Addr().As4()
	for bit := prefix.Bits(); bit < 32; bit++ {
		bytes[bit/8] |= 1 << (7 - bit%8)
	}
	return netip.AddrFrom4(bytes)
}

func portsFree(address string, ports []int32) bool {
	for _, port := range ports {
		listener, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(int(port))))
		if err != nil {
			return false
		}
		listener.Close()
	}
	return true
}

// portsOf returns the ports that a pod's containers declare.
func portsOf(pod *corev1.Pod) []int32 {
	var ports []int32
	for _, container := range pod.Spec.Containers {
		for _, port := range container.Ports {
			ports = append(ports, port.ContainerPort)
		}
	}
	return ports
}

// nodeAddress returns the address of a node's host-network pods.
func nodeAddress(node *corev1.Node) string {
	for _, address := range node.Status.Addresses {
		if address.Type == corev1.NodeInternalIP {
			return address.Address
		}
	}
	return ""
}
