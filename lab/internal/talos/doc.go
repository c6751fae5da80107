// Package talos simulates one Talos machine: it boots, waits in maintenance mode for a machine configuration, and then
// is the node that the configuration describes.
//
// It parses and validates with Talos's own machinery module. It serves the API of talosctl and the Terraform provider
// as Talos does: apid on port 50000 authenticates callers, routes calls to other machines and forwards them to
// machined, which authorizes and answers them. The Kubernetes control plane is real (package controlplane). The kubelet
// is simulated (package kubelet), because it would run containers.
package talos
