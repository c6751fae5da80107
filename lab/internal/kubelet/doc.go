// Package kubelet registers a simulated machine as a node of its cluster and maintains it: the certificate, requested
// with the cluster's bootstrap token, the Node with its labels, taints, addresses and capacity, the lease and the
// conditions.
//
// It runs no pods. As with a real kubelet, the node becomes Ready only after a pod on it has installed a network
// plugin.
package kubelet
