// Package labconfig reads the simulators' configuration, a file that `npm run lab` writes.
package labconfig

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Lab is one stack's lab. Every address is in 127.0.0.0/8.
type Lab struct {
	// File is the absolute path of this configuration, for passing on to children.
	File string `json:"-"`
	// Stack is the name of the Pulumi stack, "dev" or "prod".
	Stack string `json:"stack"`
	// Dir is the absolute path of the folder with all state of this lab.
	Dir string `json:"dir"`
	// Repository is the absolute path of the Git checkout that the lab serves.
	Repository string `json:"repository"`
	// Programs are absolute paths by name: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kwok,
	// flux-operator, source-controller, kustomize-controller, helm-controller, notification-controller. If volumes hold
	// data, also volsync, restic and versitygw.
	Programs map[string]string `json:"programs"`
	// Data are absolute paths of folders in the Go module cache by name: kwok, flux-operator, volsync (the modules),
	// cilium (the chart).
	Data map[string]string `json:"data"`

	Supervisor Endpoint   `json:"supervisor"`
	Internet   Internet   `json:"internet"`
	Proxmox    Proxmox    `json:"proxmox"`
	Cloudflare Cloudflare `json:"cloudflare"`
	Git        Git        `json:"git"`
	Bucket     Bucket     `json:"bucket"`
	// Metal are bare-metal machines. They exist from the start, in maintenance mode.
	Metal []Machine `json:"metal,omitempty"`
}

// Endpoint is a loopback address with a port.
type Endpoint struct {
	// Address is host:port, for example "127.20.255.1:7700".
	Address string `json:"address"`
}

// Internet is the simulated Internet: a forward proxy that knows only simulated hosts, and an OCI registry.
type Internet struct {
	// Proxy is the forward proxy's host:port.
	Proxy string `json:"proxy"`
	// Registry is the OCI registry's host:port. It serves TLS for the names in Registries.
	Registry string `json:"registry"`
	// Registries are the public registries that the lab's registry stands for, for example "quay.io".
	Registries []string `json:"registries"`
	// Charts are served in addition to the charts of Cilium and flux-operator.
	Charts []Chart `json:"charts,omitempty"`
}

// Chart is a chart's folder in the Go module cache, and the public location that it stands for.
type Chart struct {
	// Host is the public name of a registry, one of Registries.
	Host string `json:"host"`
	// Repository is the path below Host.
	Repository string `json:"repository"`
	// Index says that Host serves an index of charts at this path, as Helm repositories did before OCI.
	Index  bool   `json:"isIndex,omitempty"`
	Folder string `json:"folder"`
	// Version is the release, which a project's sources often omit.
	Version string `json:"version"`
	// With maps paths in the chart, which its sources link to, to further folders.
	With map[string]string `json:"with,omitempty"`
}

// Proxmox is the simulated Proxmox VE cluster.
type Proxmox struct {
	// Address is host:port of the API. Empty if the stack has no Proxmox.
	Address string `json:"address"`
	// Token is the accepted API token, USER@REALM!ID=SECRET.
	Token string `json:"token"`
	// Password is the password of root@pam. Empty means that nobody signs in with one.
	Password string `json:"password,omitempty"`
	// Privileges are the token's privileges on every path. Empty means all.
	Privileges []string `json:"privileges,omitempty"`
	// Nodes are the names of the hosts.
	Nodes []string `json:"nodes"`
	// Datastores maps names to the content types that each accepts.
	Datastores map[string][]string `json:"datastores"`
	// Bridges are the network bridges of every host.
	Bridges []string `json:"bridges"`
	// CPUs and MemoryMiB are the resources of every host.
	CPUs      int `json:"cpus"`
	MemoryMiB int `json:"memoryMiB"`
	// Loopback maps an address in cloud-init data to the loopback address on which the machine listens, if they differ.
	// It is usually empty, because the derived configuration makes them equal.
	Loopback map[string]string `json:"loopback,omitempty"`
	// Leases are the loopback addresses that the network's DHCP server reserves, by hardware address. Without a
	// reservation, a machine that asks for an address gets none.
	Leases map[string]string `json:"leases,omitempty"`
	// SSH is the host:port of each host's SSH server, by node. root signs in with Password. A host that is not in it
	// has none.
	SSH map[string]string `json:"ssh,omitempty"`
}

// Cloudflare is the simulated Cloudflare API.
type Cloudflare struct {
	// Address is host:port of the API, which serves TLS for api.cloudflare.com. Empty if the stack has no Cloudflare.
	Address string `json:"address"`
	// Token is the accepted API token. Permissions are GROUP:Read or GROUP:Edit, for example "Zone.DNS:Edit".
	Token       string   `json:"token"`
	Permissions []string `json:"permissions"`
	Account     string   `json:"account"`
	// AccountName is the account's name, "Hearth lab" by default.
	AccountName string `json:"accountName,omitempty"`
	// RequestsPerFiveMinutes is the rate limit of a token, by default Cloudflare's 1200.
	RequestsPerFiveMinutes int `json:"requestsPerFiveMinutes,omitempty"`
	// Zones maps names to IDs.
	Zones map[string]string `json:"zones"`
}

// Git is the SSH server of the lab's repository.
type Git struct {
	Address string `json:"address"`
	// Branch is the branch under which clients see the working tree's HEAD, whatever is checked out. Default: "main".
	Branch string `json:"branch,omitempty"`
}

// Bucket is the S3 service that volumes are backed up to.
type Bucket struct {
	// Address is host:port of the service, which serves TLS for Host. Empty if the lab's volumes hold no data.
	Address string `json:"address"`
	// Host is the service's public name, for example "s3.example.com".
	Host string `json:"host"`
	// Name is the only bucket.
	Name string `json:"name"`
	// AccessKey and SecretKey are the accepted credentials.
	AccessKey string `json:"accessKey"`
	SecretKey string `json:"secretKey"`
	Region    string `json:"region"`
}

// Machine is hardware, as it exists before any configuration.
type Machine struct {
	// Name is the machine's inventory name. It names the folder and logs, not the Kubernetes node.
	Name string `json:"name"`
	// Address is the loopback address on which the machine listens.
	Address string `json:"address"`
	// Lease is the loopback address that the network's DHCP server gives the machine until its configuration sets
	// Address. Without it, the machine has Address from the start.
	Lease string `json:"lease,omitempty"`
	// MAC is the hardware address of its only network interface.
	MAC  string `json:"mac"`
	UUID string `json:"uuid"`
	// Platform is the Talos platform: "nocloud" for a Proxmox VM with cloud-init data, otherwise "metal".
	Platform string `json:"platform"`
	Cores    int    `json:"cores"`
	// MemoryMiB is the memory that the machine reports.
	MemoryMiB  int    `json:"memoryMiB"`
	Disks      []Disk `json:"disks"`
	SecureBoot bool   `json:"secureBoot"`
	TPM        bool   `json:"tpm"`
	// Image is the Talos image that the machine boots.
	Image Image `json:"image"`
	// Medium is what the image is on: "disk", on which Talos is installed then, or "cdrom". By default it is the disk
	// with the platform "nocloud", and a CD with another.
	Medium string `json:"medium,omitempty"`
}

// Disk is a block device of a machine.
type Disk struct {
	// Device is the disk's path, for example /dev/sda.
	Device string `json:"device"`
	// SizeGiB is the disk's size in GiB.
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

// VolumesHoldData reports whether the lab's volumes are folders that VolSync backs up. Otherwise they are only
// simulated.
func (lab *Lab) VolumesHoldData() bool { return lab.Programs["volsync"] != "" }

// Path joins elements to the path of the lab's folder.
func (lab *Lab) Path(elements ...string) string {
	return filepath.Join(append([]string{lab.Dir}, elements...)...)
}
