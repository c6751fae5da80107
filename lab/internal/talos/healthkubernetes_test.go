package talos

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func withAddresses(addresses ...string) corev1.Node {
	node := corev1.Node{}
	for _, address := range addresses {
		node.Status.Addresses = append(node.Status.Addresses, corev1.NodeAddress{Type: corev1.NodeInternalIP, Address: address})
	}
	return node
}

func TestNodesAreKnownByOneOfTheirAddresses(t *testing.T) {
	nodes := []corev1.Node{withAddresses("127.30.0.12"), withAddresses("127.30.0.11", "fd00:10:30::11")}
	for _, expected := range [][]string{{"127.30.0.11", "127.30.0.12"}, {"fd00:10:30::11", "127.30.0.12"}} {
		if err := sameAddresses(nodes, expected); err != nil {
			t.Error(err)
		}
	}
	for _, expected := range [][]string{{"127.30.0.11"}, {"127.30.0.11", "127.30.0.12", "127.30.0.13"}, {"127.30.0.11", "127.30.0.13"}} {
		if sameAddresses(nodes, expected) == nil {
			t.Errorf("%q are taken for the nodes", expected)
		}
	}
}
