// Package labconfig reads the file in which `npm run lab` tells the simulators what they are.
package labconfig

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Lab is one stack's lab. Every address is in 127.0.0.0/8.
type Lab struct {
	// File is the absolute path that this configuration was read from, for passing it on to children.
	File string `json:"-"`
	// Stack is the name of the Pulumi stack, "dev" or "prod".
	Stack string `json:"stack"`
	// Dir is the absolute path of the folder that holds all state of this lab.
	Dir string `json:"dir"`
	// Repository is the absolute path of the Git checkout that the lab serves.
	Repository string `json:"repository"`
	// Programs are absolute paths by name: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kwok,
	// flux-operator, source-controller, kustomize-controller, helm-controller, notification-controller. Where volumes hold
	// data: volsync, restic, versitygw.
	Programs map[string]string `json:"programs"`
	// Data are absolute paths of folders by name, read from the Go module cache: kwok (kwok's own module),
	// flux-operator (its module), cilium (the chart folder), volsync (its module).
	Data map[string]string `json:"data"`

	Supervisor Endpoint   `json:"supervisor"`
	Internet   Internet   `json:"internet"`
	Proxmox    Proxmox    `json:"proxmox"`
	Cloudflare Cloudflare `json:"cloudflare"`
	Git        Git        `json:"git"`
	Bucket     Bucket     `json:"bucket"`
	// Metal are bare-metal machines that are simply there, in maintenance mode.
	Metal []Machine `json:"metal,omitempty"`
}

// Endpoint is a loopback address with its port.
type Endpoint struct {
	// Address is host:port, for example "127.20.255.1:7700".
	Address string `json:"address"`
}

// Internet is the outside world as the lab has it: a forward proxy that knows only simulated hosts, and an OCI registry.
type Internet struct {
	// Proxy is the forward proxy's host:port.
	Proxy string `json:"proxy"`
	// Registry is the OCI registry's host:port; it serves TLS for the names in Registries.
	Registry string `json:"registry"`
	// Registries are the public names that the registry stands for, for example "quay.io".
	Registries []string `json:"registries"`
	// Charts are what the registry holds beside the charts of Cilium and flux-operator.
	Charts []Chart `json:"charts,omitempty"`
}

// Chart is a chart's folder in the Go module cache, and where the world gets the chart.
type Chart struct {
	// Host is the public name of a registry, one of Registries.
	Host string `json:"host"`
	// Repository is the path below it.
	Repository string `json:"repository"`
	// Index tells that the host has an index of charts there, as repositories had before there were OCI registries.
	Index  bool   `json:"isIndex,omitempty"`
	Folder string `json:"folder"`
	// Version is the release; a project's sources often leave it to be filled in.
	Version string `json:"version"`
	// With are further folders by their path in the chart, which its sources link to.
	With map[string]string `json:"with,omitempty"`
}

// Proxmox is the simulated Proxmox VE cluster.
type Proxmox struct {
	// Address is host:port of the API, empty where the stack has no Proxmox.
	Address string `json:"address"`
	// Token is the API token it accepts, USER@REALM!ID=SECRET.
	Token string `json:"token"`
	// Privileges are those the token has, on every path; empty means all.
	Privileges []string `json:"privileges,omitempty"`
	// Nodes are the names of the hosts.
	Nodes []string `json:"nodes"`
	// Datastores by name, with the content types each accepts.
	Datastores map[string][]string `json:"datastores"`
	// Bridges are the network bridges that exist on every host.
	Bridges []string `json:"bridges"`
	// CPUs and MemoryMiB are what every host has.
	CPUs      int `json:"cpus"`
	MemoryMiB int `json:"memoryMiB"`
	// Loopback maps an address that cloud-init data gives to the loopback address the machine listens on, when they
	// differ. The lab's derived configuration makes them equal, so it is usually empty.
	Loopback map[string]string `json:"loopback,omitempty"`
}

// Cloudflare is the simulated Cloudflare API.
type Cloudflare struct {
	// Address is host:port; it serves TLS for api.cloudflare.com. Empty where the stack has no Cloudflare.
	Address string `json:"address"`
	// Token is the API token it accepts. Permissions are GROUP:Read or GROUP:Edit, for example "Zone.DNS:Edit".
	Token       string   `json:"token"`
	Permissions []string `json:"permissions"`
	Account     string   `json:"account"`
	// AccountName is the account's name, "Hearth lab" when empty.
	AccountName string `json:"accountName,omitempty"`
	// RequestsPerFiveMinutes is how many requests a token may make, 1200 when zero, as at Cloudflare.
	RequestsPerFiveMinutes int `json:"requestsPerFiveMinutes,omitempty"`
	// Zones are IDs by name.
	Zones map[string]string `json:"zones"`
}

// Git is the SSH server of the lab's repository.
type Git struct {
	Address string `json:"address"`
	// Branch is the branch under which clients see the working tree's HEAD, whatever is checked out; "main" by default.
	Branch string `json:"branch,omitempty"`
}

// Bucket is the S3 service that volumes are backed up to.
type Bucket struct {
	// Address is host:port; it serves TLS for Host. Empty where the lab's volumes hold nothing.
	Address string `json:"address"`
	// Host is the service's public name, for example "s3.example.com".
	Host string `json:"host"`
	// Name is the one bucket that there is.
	Name string `json:"name"`
	// AccessKey and SecretKey are the credentials that it accepts.
	AccessKey string `json:"accessKey"`
	SecretKey string `json:"secretKey"`
	Region    string `json:"region"`
}

// Machine is hardware: what exists before any configuration reaches it.
type Machine struct {
	// Name is the machine's inventory name. It names its folder and logs, not the Kubernetes node.
	Name string `json:"name"`
	// Address is the loopback address it listens on.
	Address string `json:"address"`
	// MAC is the hardware address of its only network interface.
	MAC  string `json:"mac"`
	UUID string `json:"uuid"`
	// Platform is Talos's platform: "nocloud" for a Proxmox VM with cloud-init data, "metal" otherwise.
	Platform string `json:"platform"`
	Cores    int    `json:"cores"`
	// MemoryMiB is the memory that the machine reports.
	MemoryMiB  int    `json:"memoryMiB"`
	Disks      []Disk `json:"disks"`
	SecureBoot bool   `json:"secureBoot"`
	TPM        bool   `json:"tpm"`
	// Image is the Talos image it boots: version and schematic.
	Image Image `json:"image"`
}

// Disk is a block device of a machine.
type Disk struct {
	// Device is its path, for example /dev/sda.
	Device string `json:"device"`
	// SizeGiB is its size in GiB.
	SizeGiB int `json:"sizeGiB"`
	// Transport is virtio, sata, nvme or scsi.
	Transport string `json:"transport"`
	Model     string `json:"model"`
	Serial    string `json:"serial"`
}

// Image is a Talos boot image.
type Image struct {
	// Version is the Talos release, for example "v1.13.9".
	Version string `json:"version"`
	// Schematic is the Image Factory schematic ID.
	Schematic string `json:"schematic"`
}

// Load reads and parses the file at path.
func Load(path string) (*Lab, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the lab's configuration: %w", err)
	}
	lab := &Lab{}
	if err := json.Unmarshal(raw, lab); err != nil {
		return nil, fmt.Errorf("parsing %s: %w", path, err)
	}
	if !filepath.IsAbs(lab.Dir) {
		return nil, fmt.Errorf("%s: dir %q is not an absolute path", path, lab.Dir)
	}
	if lab.File, err = filepath.Abs(path); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return lab, nil
}

// VolumesHoldData tells whether the lab's volumes are folders that VolSync backs up, or only look like volumes.
func (lab *Lab) VolumesHoldData() bool { return lab.Programs["volsync"] != "" }

// Path joins elements to the lab's folder.
func (lab *Lab) Path(elements ...string) string {
	return filepath.Join(append([]string{lab.Dir}, elements...)...)
}
