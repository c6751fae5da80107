package proxmox

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// ended waits until the newest task has ended.
func ended(t *testing.T, c *cluster) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		c.mu.Lock()
		last := "OK"
		if len(c.state.Tasks) > 0 {
			last = c.state.Tasks[len(c.state.Tasks)-1].Exit
		}
		c.mu.Unlock()
		if last != "" {
			return
		}
	}
	t.Fatal("the task does not end")
}

// cloned asks for a clone of VM 100 and waits for its end.
func cloned(t *testing.T, c *cluster, address string, params map[string]string) (status int, reason string) {
	t.Helper()
	status, reason, _ = refusal{Method: http.MethodPost, Path: "/nodes/pve1/qemu/100/clone", Params: params}.ask(t, address)
	ended(t, c)
	return status, reason
}

func TestACloneHasDisksAndAddressesOfItsOwn(t *testing.T) {
	c, server := testCluster(t)
	original := c.state.VMs[100]
	original.Config["net0"], original.Config["smbios1"] = "virtio="+testMAC+",bridge=vmbr0", "uuid=6e1d1b56-0b67-4c51-9d3a-0123456789ab"
	c.state.Volumes[volumeKey("pve1", "local-lvm:vm-100-disk-0")].Image = &bootImage{Platform: "nocloud"}
	original.Config["ide0"] = "local-lvm:vm-100-cloudinit,media=cdrom,size=4M"
	c.state.Volumes[volumeKey("pve1", "local-lvm:vm-100-cloudinit")] = &volume{
		Node: "pve1", ID: "local-lvm:vm-100-cloudinit", Content: "images", Format: "raw", Size: 4 << 20, VMID: 100,
	}
	original.Config["unused0"] = "local-lvm:vm-100-disk-7"
	if status, reason := cloned(t, c, server.URL, map[string]string{"newid": "200", "name": "copy", "full": "1"}); status != 200 {
		t.Fatalf("%d %s", status, reason)
	}
	made := c.state.VMs[200]
	if made == nil || made.Config["name"] != "copy" || made.Machine == original.Machine {
		t.Fatalf("the clone is %+v", made)
	}
	if made.Config["scsi0"] != "local-lvm:vm-200-disk-0,size=10G" || !strings.HasPrefix(made.Config["ide0"], "local-lvm:vm-200-cloudinit,") {
		t.Errorf("its drives are %v", made.Config)
	}
	if disk := c.volume("pve1", "local-lvm:vm-200-disk-0"); disk == nil || disk.VMID != 200 || disk.Image == nil {
		t.Errorf("its disk is %+v", disk)
	}
	for _, name := range []string{"net0", "smbios1", "unused0"} {
		if made.Config[name] == original.Config[name] {
			t.Errorf("it has the %s of the original: %q", name, made.Config[name])
		}
	}
	if c.volume("pve1", "local-lvm:vm-100-disk-0") == nil {
		t.Error("the original lost its disk")
	}
}

func TestATemplateIsClonedAndNeverStarted(t *testing.T) {
	c, server := testCluster(t)
	ask := refusal{Method: http.MethodPost, Path: "/nodes/pve1/qemu/100/template"}
	if status, reason, _ := ask.ask(t, server.URL); status != 200 {
		t.Fatalf("%d %s", status, reason)
	}
	ended(t, c)
	if c.state.VMs[100].Config["scsi0"] != "local-lvm:base-100-disk-0,size=10G" || c.volume("pve1", "local-lvm:base-100-disk-0") == nil {
		t.Errorf("its disk is %v", c.state.VMs[100].Config)
	}
	if status, reason, _ := ask.ask(t, server.URL); status != 500 || reason != "you can't convert a template to a template" {
		t.Errorf("again: %d %s", status, reason)
	}
	if status, reason := cloned(t, c, server.URL, map[string]string{"newid": "200", "full": "1"}); status != 200 || c.state.VMs[200].Config["template"] != "" {
		t.Errorf("its clone: %d %s, %+v", status, reason, c.state.VMs[200])
	}
	if err := c.powerOn(100, func(string, ...any) {}); err == nil {
		t.Error("it starts")
	}
}

func TestClonesAreRefusedInTheWordsOfProxmox(t *testing.T) {
	for want, params := range map[string]map[string]string{
		"unable to create VM 101: config file already exists":   {"newid": "101"},
		"storage 'none' does not exist":                         {"newid": "200", "storage": "none"},
		"no such cluster node 'pve3'":                           {"newid": "200", "target": "pve3"},
		"can't clone VM to node 'pve2' (VM uses local storage)": {"newid": "200", "target": "pve2"},
		"can't clone to non-shared storage 'local-lvm'":         {"newid": "200", "target": "pve2", "storage": "local-lvm"},
		"parameter 'format' not allowed for linked clones":      {"newid": "200", "full": "0", "format": "raw"},
		"the lab makes full clones only":                        {"newid": "200", "full": "0"},
		"Permission check failed (pool 'none' does not exist)":  {"newid": "200", "pool": "none"},
		"snapshot 'before' does not exist":                      {"newid": "200", "snapname": "before"},
		"Parameter verification failed.":                        {"newid": "200", "storage": "local"},
	} {
		c, server := testCluster(t)
		before := len(c.state.Volumes)
		if status, reason := cloned(t, c, server.URL, params); status == 200 || reason != want {
			t.Errorf("%v: %d %s, not %s", params, status, reason, want)
		}
		if len(c.state.VMs) != 2 || len(c.state.Volumes) != before {
			t.Errorf("%v: made something", params)
		}
	}
}
