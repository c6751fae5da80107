// Package kubelet registers a simulated machine as a node of its cluster and keeps it there: the certificate by the
// cluster's bootstrap token, the Node object with its labels, taints, addresses and capacity, the lease and the
// conditions.
//
// It runs no pods. The node is Ready only after a pod on it has put a network plugin in place, as in life.
package kubelet
