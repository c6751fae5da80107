// Package controlplane runs the real Kubernetes control plane of one simulated Talos machine: etcd, kube-apiserver,
// kube-controller-manager and kube-scheduler, with the keys, ranges and arguments of its machine configuration.
//
// Talos runs these programs as containers and static pods. Here they are child processes that listen on the machine's
// loopback address.
package controlplane
