// Package talos is one simulated Talos machine: hardware of the lab that boots, waits in maintenance mode for a machine
// configuration, and then is the node that the configuration describes.
//
// Parsing and validation are Talos's own (its machinery module); the API that talosctl and the Terraform provider speak
// is served as Talos serves it: apid on port 50000 authenticates, routes to other machines and forwards to machined,
// which authorizes and answers. Kubernetes on top is real where it runs (package controlplane) and simulated where
// it would run containers (package kubelet).
package talos
