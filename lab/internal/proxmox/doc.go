// Package proxmox simulates the HTTP API of a Proxmox VE 9 cluster, as far as machines need it: nodes, storage, image
// downloads, virtual machines, tasks, pools and high availability.
//
// Requests are checked against schemas written as data, one per endpoint (routes_*.go, schema_*.go), the way Proxmox
// checks them: unknown parameters, wrong types and formats, missing privileges. Starting a virtual machine starts a
// `hearth-lab machine` process, described by a file that is derived from the machine's disks, firmware and cloud-init data.
//
// Beside /api2/json there are, without authentication:
//
//	GET    /lab/state   counts of what the simulator holds
//	POST   /lab/faults  makes coming requests fail (see package faults)
//	GET    /lab/faults  the faults that are still to happen
//	DELETE /lab/faults  forgets them
package proxmox
