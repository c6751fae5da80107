// Package proxmox simulates the part of the HTTP API of a Proxmox VE 9 cluster that machines need: nodes, storage,
// image downloads, virtual machines, tasks, pools and high availability.
//
// As in Proxmox, requests are checked against schemas, one per endpoint (routes_*.go, schema_*.go), for unknown
// parameters, wrong types and formats, and missing privileges. Starting a virtual machine starts a `hearth-lab machine`
// process, described by a file that is derived from the machine's disks, firmware and cloud-init data.
//
// In addition to /api2/json it serves, without authentication:
//
//	GET    /lab/state   counts of what the simulator holds
//	POST   /lab/faults  makes coming requests fail (see package faults)
//	GET    /lab/faults  the faults that are still to happen
//	DELETE /lab/faults  forgets them
package proxmox
