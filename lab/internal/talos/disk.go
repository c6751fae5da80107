package talos

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"hearth.dev/lab/internal/atomicfile"
	"hearth.dev/lab/internal/statefile"
)

// disk is the machine's system disk, which survives reboots. It is a folder.
type disk struct {
	// dir is the machine's folder.
	dir string
}

// record is the content of the boot partition and META.
type record struct {
	// Installed reports whether Talos is on the system disk. Metal machines boot from other media before.
	Installed bool `json:"installed"`
	// SystemDisk is the device on which Talos is installed.
	SystemDisk string `json:"systemDisk"`
	// Installation is what the installer wrote. It is nil if the disk had Talos from the start.
	Installation *Installation `json:"installation,omitempty"`
	slots
	// StagedImage is the installer image of an upgrade at the next boot.
	StagedImage string `json:"stagedImage,omitempty"`
	// Meta are the values of META by key, which `talosctl meta` writes.
	Meta map[uint8][]byte `json:"meta,omitempty"`
	// VIPs are the virtual addresses that this machine was ever configured with.
	VIPs []netip.Addr `json:"vips,omitempty"`
}

// Installation is a Talos that was installed from other media.
type Installation struct {
	// Device is the disk, for example /dev/sda.
	Device string `json:"device"`
	// Platform is Talos's platform, "nocloud" or "metal".
	Platform   string `json:"platform"`
	SecureBoot bool   `json:"secureBoot,omitempty"`
	// Signed reports whether the image has a signature, so that firmware with SecureBoot boots it.
	Signed bool `json:"signed,omitempty"`
}

func (d disk) path(elements ...string) string {
	return filepath.Join(append([]string{d.dir}, elements...)...)
}

// load returns the record. fresh is the record of a machine that has never run.
func (d disk) load(fresh record) (record, error) {
	kept := fresh
	err := statefile.Read(d.path("machine.json"), &kept, "delete the machine's folder to start over")
	return kept, err
}

func (d disk) save(r record) error { return statefile.Write(d.path("machine.json"), r) }

// now is the time of the machine's own clock. The file "clock" has what it is off by, as a duration; a test writes it.
func (d disk) now() time.Time {
	content, _ := os.ReadFile(d.path("clock"))
	off, _ := time.ParseDuration(strings.TrimSpace(string(content)))
	return time.Now().Add(off)
}

// boots reports whether the image of a release boots on this machine. The file "unbootable" lists releases that do not, one
// a line; a test writes it.
func (d disk) boots(version string) bool {
	content, _ := os.ReadFile(d.path("unbootable"))
	return !slices.Contains(strings.Fields(string(content)), version)
}

// config returns the stored machine configuration, nil if there is none.
func (d disk) config() ([]byte, error) {
	content, err := os.ReadFile(d.path("state", "config.yaml"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return content, err
}

func (d disk) saveConfig(content []byte) error {
	return writeFile(d.path("state", "config.yaml"), content)
}

// nodeID returns the machine's identity in its cluster. It lasts as long as the STATE partition.
func (d disk) nodeID() (string, error) {
	path := d.path("state", "node-identity")
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		id := uuid.New().String()
		return id, writeFile(path, []byte(id))
	}
	return string(content), err
}

// wipeState wipes the STATE partition, with configuration and identity.
func (d disk) wipeState() error { return os.RemoveAll(d.path("state")) }

// wipeEphemeral wipes the EPHEMERAL partition, with the data of etcd and the kubelet and all rendered files.
func (d disk) wipeEphemeral() error { return os.RemoveAll(d.path("var")) }

// writeFile replaces a file atomically. Only the owner can read it.
func writeFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return atomicfile.Write(path, content, 0o600)
}
