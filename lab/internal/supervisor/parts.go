package supervisor

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"regexp"
	"time"

	"hearth.dev/lab/internal/atomicfile"
	"hearth.dev/lab/internal/labconfig"
)

// stopNested is for children that first stop their own processes, up to 10 s each, two levels deep.
const (
	stopPlain  = 10 * time.Second
	stopNested = 40 * time.Second
)

// talosPort is the port of a machine's Talos API.
const talosPort = "50000"

// machineName matches valid machine names, which become names of folders and logs.
var machineName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// partsOf lists the processes of a lab. A part without an address does not exist.
func partsOf(lab *labconfig.Lab) ([]*part, error) {
	var parts []*part
	for _, p := range []*part{
		{name: "internet", address: lab.Internet.Proxy, stopTimeout: stopPlain},
		{name: "registry", address: lab.Internet.Registry, stopTimeout: stopPlain},
		{name: "cloudflare", address: lab.Cloudflare.Address, stopTimeout: stopPlain},
		{name: "git", address: lab.Git.Address, stopTimeout: stopPlain},
		{name: "bucket", address: lab.Bucket.Address, stopTimeout: stopPlain},
		{name: "proxmox", address: lab.Proxmox.Address, stopTimeout: stopNested},
	} {
		if p.address != "" {
			p.args = []string{p.name, "--config", lab.File}
			parts = append(parts, p)
		}
	}
	for _, machine := range lab.Metal {
		p, err := metal(lab, machine)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// metal writes a bare-metal machine's configuration and returns its process.
// A machine that powers itself off is powered on again, as a person at the rack would do.
func metal(lab *labconfig.Lab, machine labconfig.Machine) (*part, error) {
	if !machineName.MatchString(machine.Name) {
		return nil, fmt.Errorf("metal machine %q: a name is lower-case letters, digits and dashes", machine.Name)
	}
	spec, err := json.MarshalIndent(machine, "", "  ")
	if err != nil {
		return nil, err
	}
	folder := lab.Path("machines", machine.Name)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	file := lab.Path("machines", machine.Name, "spec.json")
	if err := atomicfile.Write(file, append(spec, '\n'), 0o600); err != nil {
		return nil, err
	}
	p := &part{
		name: "machine-" + machine.Name, address: net.JoinHostPort(machine.Address, talosPort), stopTimeout: stopNested,
		args: []string{"machine", "--config", lab.File, "--spec", file},
	}
	if machine.Lease != "" {
		p.lease = net.JoinHostPort(machine.Lease, talosPort)
	}
	return p, nil
}
