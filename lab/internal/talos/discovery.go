package talos

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/cosi-project/runtime/pkg/resource"
	machinetype "github.com/siderolabs/talos/pkg/machinery/config/machine"
	"github.com/siderolabs/talos/pkg/machinery/resources/cluster"
)

const (
	// discoveryInterval is the interval at which machines announce themselves.
	discoveryInterval = 2 * time.Second
	// discoveryTTL is how long a machine is known after its last announcement, as in the real service.
	discoveryTTL = 30 * time.Minute
)

// discovery replaces Talos's discovery service by a folder of the lab in which the machines of a cluster find each
// other.
type discovery struct {
	cancel context.CancelFunc
	done   chan struct{}

	mu    sync.Mutex
	known []affiliate
}

// affiliate is a machine's announcement.
type affiliate struct {
	NodeID          string           `json:"nodeID"`
	Hostname        string           `json:"hostname"`
	Address         netip.Addr       `json:"address"`
	MachineType     machinetype.Type `json:"machineType"`
	OperatingSystem string           `json:"operatingSystem"`
	APIServerPort   int              `json:"apiServerPort,omitempty"`
	Seen            time.Time        `json:"seen"`
}

func startDiscovery(b *boot) *discovery {
	ctx, cancel := context.WithCancel(b.ctx)
	d := &discovery{cancel: cancel, done: make(chan struct{})}
	d.exchange(b)
	go func() {
		defer close(d.done)
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(discoveryInterval):
				d.exchange(b)
			}
		}
	}()
	return d
}

func (d *discovery) stop() {
	if d != nil {
		d.cancel()
		<-d.done
	}
}

func (b *boot) discoveryFolder() string {
	cfg := b.config()
	return b.machine.lab.Path("discovery", fmt.Sprintf("%x", sha256.Sum256([]byte(cfg.Cluster().ID()))))
}

// exchange announces this machine and reads the others' announcements.
func (d *discovery) exchange(b *boot) {
	cfg := b.config()
	if !cfg.Cluster().Discovery().Enabled() {
		return
	}
	b.mu.Lock()
	self := affiliate{
		NodeID: b.nodeID, Hostname: b.hostname, Address: b.machine.address, MachineType: cfg.Machine().Type(),
		OperatingSystem: "Talos (" + b.image.Version + ")", Seen: time.Now(),
	}
	b.mu.Unlock()
	if self.MachineType.IsControlPlane() {
		self.APIServerPort = cfg.Cluster().LocalAPIServerPort()
	}
	folder := b.discoveryFolder()
	content, err := json.Marshal(self)
	if err == nil {
		err = writeFile(filepath.Join(folder, self.NodeID+".json"), content)
	}
	if err != nil {
		b.machine.log.Printf("discovery: %v", err)
	}
	known := readAffiliates(folder)
	d.mu.Lock()
	d.known = known
	d.mu.Unlock()
	ids, affiliates := map[resource.ID]bool{}, map[resource.ID]bool{}
	for _, each := range known {
		ids[each.Hostname] = true
		affiliates[each.NodeID] = true
		put(b, cluster.NewAffiliate(cluster.NamespaceName, each.NodeID), func(r *cluster.Affiliate) {
			spec := r.TypedSpec()
			spec.NodeID, spec.Hostname, spec.Nodename, spec.Addresses = each.NodeID, each.Hostname, each.Hostname, []netip.Addr{each.Address}
			spec.MachineType, spec.OperatingSystem = each.MachineType, each.OperatingSystem
			if each.APIServerPort != 0 {
				spec.ControlPlane = &cluster.ControlPlane{APIServerPort: each.APIServerPort}
			}
		})
		put(b, cluster.NewMember(cluster.NamespaceName, each.Hostname), func(r *cluster.Member) {
			spec := r.TypedSpec()
			spec.NodeID, spec.Hostname, spec.Addresses = each.NodeID, each.Hostname, []netip.Addr{each.Address}
			spec.MachineType, spec.OperatingSystem = each.MachineType, each.OperatingSystem
			if each.APIServerPort != 0 {
				spec.ControlPlane = &cluster.ControlPlane{APIServerPort: each.APIServerPort}
			}
		})
	}
	b.keepOnly(cluster.NewMember(cluster.NamespaceName, "").Metadata(), ids)
	b.keepOnly(cluster.NewAffiliate(cluster.NamespaceName, "").Metadata(), affiliates)
}

func readAffiliates(folder string) []affiliate {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil
	}
	var all []affiliate
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		var each affiliate
		if err != nil || filepath.Ext(entry.Name()) != ".json" || json.Unmarshal(content, &each) != nil {
			continue
		}
		if time.Since(each.Seen) < discoveryTTL {
			all = append(all, each)
		}
	}
	// A machine that was reset and has a new identity is known by its newest one.
	slices.SortFunc(all, func(a, b affiliate) int { return b.Seen.Compare(a.Seen) })
	names := map[string]bool{}
	return slices.DeleteFunc(all, func(each affiliate) bool {
		defer func() { names[each.Hostname] = true }()
		return names[each.Hostname]
	})
}

// forget removes this machine from its cluster's discovery, before its identity is wiped.
func (b *boot) forget() {
	if b.config() == nil {
		return
	}
	err := os.Remove(filepath.Join(b.discoveryFolder(), b.nodeID+".json"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		b.machine.log.Printf("discovery: %v", err)
	}
}

func (d *discovery) members() []affiliate {
	if d == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.known)
}

func (d *discovery) controlPlanes() []netip.Addr {
	var all []netip.Addr
	for _, each := range d.members() {
		if each.MachineType.IsControlPlane() {
			all = append(all, each.Address)
		}
	}
	return all
}
