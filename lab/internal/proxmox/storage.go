package proxmox

import (
	"maps"
	"slices"
	"strings"

	"hearth.dev/lab/internal/labconfig"
)

// datastoreBytes is the size of every datastore on every node.
const datastoreBytes = int64(2) << 40

// datastore is a storage. Its name and content types determine its kind. All are local to a node. One that stores files
// is a folder. One that stores only disks is an LVM thin pool.
type datastore struct {
	name     string
	contents []string
}

// volume is an image or a machine's disk in a datastore.
type volume struct {
	Node    string `json:"node"`
	ID      string `json:"id"`
	Content string `json:"content"`
	Format  string `json:"format"`
	// Size is the size of the image file or of the disk, in bytes.
	Size int64 `json:"size"`
	// VirtualSize is the size of the disk in an image, in bytes.
	VirtualSize int64 `json:"virtualSize,omitempty"`
	// VMID is the machine of a disk, 0 for an image.
	VMID  int   `json:"vmid,omitempty"`
	CTime int64 `json:"ctime"`
	// Image is the Talos image on the volume, nil if nothing boots from it.
	Image *bootImage `json:"image,omitempty"`
}

// bootImage is a Talos image on a disk.
type bootImage struct {
	labconfig.Image
	// Platform is Talos's platform, "nocloud" or "metal".
	Platform   string `json:"platform"`
	SecureBoot bool   `json:"secureBoot,omitempty"`
}

func (d datastore) files() bool {
	return slices.ContainsFunc(d.contents, func(content string) bool { return content != "images" && content != "rootdir" })
}

func (d datastore) has(content string) bool { return slices.Contains(d.contents, content) }

func (d datastore) kind() string {
	if d.files() {
		return "dir"
	}
	return "lvmthin"
}

func (c *cluster) datastore(name string) (datastore, error) {
	contents, there := c.lab.Proxmox.Datastores[name]
	if !there {
		return datastore{}, fail("storage '%s' does not exist", name)
	}
	return datastore{name, contents}, nil
}

func volumeKey(node, id string) string { return node + "/" + id }

func (c *cluster) volume(node, id string) *volume { return c.state.Volumes[volumeKey(node, id)] }

func (c *cluster) used(node, store string) int64 {
	var sum int64
	for _, v := range c.state.Volumes {
		if v.Node == node && strings.HasPrefix(v.ID, store+":") {
			sum += v.Size
		}
	}
	return sum
}

func (c *cluster) describe(node string, d datastore) map[string]any {
	used := c.used(node, d.name)
	return map[string]any{
		"storage": d.name, "type": d.kind(), "content": strings.Join(d.contents, ","), "active": 1, "enabled": 1, "shared": 0,
		"total": datastoreBytes, "used": used, "avail": datastoreBytes - used, "used_fraction": float64(used) / float64(datastoreBytes),
	}
}

func listDatastores(c *call) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := []map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(c.lab.Proxmox.Datastores)) {
		d, _ := c.datastore(name)
		matches := func(content string) bool { return d.has(content) }
		if c.has("storage") && c.str("storage") != name || c.has("content") && !slices.ContainsFunc(splitList(c.str("content")), matches) {
			continue
		}
		list = append(list, c.describe(c.str("node"), d))
	}
	return list, nil
}

func datastoreStatus(c *call) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d, err := c.datastore(c.str("storage"))
	if err != nil {
		return nil, err
	}
	status := c.describe(c.str("node"), d)
	delete(status, "storage")
	delete(status, "used_fraction")
	return status, nil
}

// clusterDatastores lists the storage configuration, which belongs to the cluster.
func clusterDatastores(c *call) (any, error) {
	list := []map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(c.lab.Proxmox.Datastores)) {
		d, _ := c.datastore(name)
		list = append(list, c.storageConfig(d))
	}
	return list, nil
}

func clusterDatastore(c *call) (any, error) {
	d, err := c.datastore(c.str("storage"))
	if err != nil {
		return nil, err
	}
	return c.storageConfig(d), nil
}

func (c *cluster) storageConfig(d datastore) map[string]any {
	config := map[string]any{"storage": d.name, "type": d.kind(), "content": strings.Join(d.contents, ",")}
	if d.files() {
		config["path"] = "/var/lib/vz-" + d.name
	} else {
		config["vgname"], config["thinpool"] = "pve", d.name
	}
	return config
}

func listContent(c *call) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.datastore(c.str("storage")); err != nil {
		return nil, err
	}
	list := []map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(c.state.Volumes)) {
		v := c.state.Volumes[key]
		if v.Node != c.str("node") || !strings.HasPrefix(v.ID, c.str("storage")+":") ||
			c.has("content") && v.Content != c.str("content") || c.has("vmid") && v.VMID != c.num("vmid") {
			continue
		}
		entry := map[string]any{"volid": v.ID, "content": v.Content, "format": v.Format, "size": v.Size, "ctime": v.CTime}
		if v.VMID != 0 {
			entry["vmid"] = v.VMID
		}
		list = append(list, entry)
	}
	return list, nil
}

func getContent(c *call) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := c.volumeID()
	v := c.volume(c.str("node"), id)
	if v == nil {
		return nil, fail("volume '%s' does not exist", id)
	}
	_, path, _ := strings.Cut(id, ":")
	return map[string]any{"path": "/" + c.str("storage") + "/" + path, "format": v.Format, "size": v.Size, "used": v.Size}, nil
}

// volumeID returns the volume in a content path, which may lack the storage.
func (c *call) volumeID() string {
	id := c.str("volume")
	if strings.Contains(id, ":") {
		return id
	}
	return c.str("storage") + ":" + id
}

func deleteContent(c *call) (any, error) {
	id := c.volumeID()
	if store, _, _ := strings.Cut(id, ":"); store != c.str("storage") {
		return nil, invalidField("volume", "storage ID mismatch (%s != %s)\n", store, c.str("storage"))
	}
	d, err := c.datastore(c.str("storage"))
	if err != nil {
		return nil, err
	}
	node := c.str("node")
	return c.begin(node, "imgdel", d.name, func(say func(string, ...any)) error {
		return c.change(func() error {
			if c.volume(node, id) == nil {
				return fail("unlink '/var/lib/vz-%s' failed: No such file or directory", strings.Replace(id, ":", "/", 1))
			}
			delete(c.state.Volumes, volumeKey(node, id))
			return nil
		})
	})
}
