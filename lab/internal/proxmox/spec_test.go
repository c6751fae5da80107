package proxmox

import (
	"strings"
	"testing"

	"hearth.dev/lab/internal/labconfig"
	"hearth.dev/lab/internal/statefile"
)

const testMAC = "BC:24:11:00:00:10"

// withCD gives VM 100 of the test cluster an empty disk, a CD with Talos for a platform, and a network card.
func withCD(t *testing.T, platform string) (*cluster, *vm) {
	t.Helper()
	c, _ := testCluster(t)
	c.state.Volumes[volumeKey("pve1", "local:iso/talos.iso")] = &volume{
		Node: "pve1", ID: "local:iso/talos.iso", Content: "iso", Format: "iso",
		Image: &bootImage{Image: labconfig.Image{Version: "v1.13.9"}, Platform: platform},
	}
	v := c.state.VMs[100]
	v.Config["ide2"] = "local:iso/talos.iso,media=cdrom"
	v.Config["net0"] = "virtio=" + testMAC + ",bridge=vmbr0"
	v.Config["boot"] = "order=scsi0;ide2"
	return c, v
}

// TestBootsByDefaultAsProxmoxDoes has qemu-server's order: ide, scsi, virtio, sata; cloud-init's drive is a CD.
func TestBootsByDefaultAsProxmoxDoes(t *testing.T) {
	for want, config := range map[string]map[string]string{
		"order=scsi0;ide2;net0":  {"scsi0": "a:1", "ide2": "local:iso/x.iso,media=cdrom", "net0": "virtio"},
		"order=scsi0;scsi1;net1": {"scsi0": "a:1", "scsi1": "local:iso/x.iso,media=cdrom", "net1": "virtio", "net2": "virtio"},
		"order=ide1;ide0":        {"ide0": "a:vm-100-cloudinit,media=cdrom", "ide1": "a:1", "virtio0": "a:2", "efidisk0": "a:3"},
		"order=virtio3":          {"virtio3": "a:1", "sata0": "a:2", "tpmstate0": "a:3"},
	} {
		if got := defaultBoot(config); got != want {
			t.Errorf("%v: got %s, want %s", config, got, want)
		}
	}
}

func TestGetsTheAddressThatDHCPReserves(t *testing.T) {
	for _, platform := range []string{"metal", "nocloud"} {
		c, v := withCD(t, platform)
		if _, err := c.specOf(v); err == nil || !strings.Contains(err.Error(), "reserves no address for it") {
			t.Errorf("%s without a reservation: %v", platform, err)
		}
		c.lab.Proxmox.Leases = map[string]string{strings.ToLower(testMAC): "127.91.1.10"}
		if spec, err := c.specOf(v); err != nil || spec.Address != "127.91.1.10" {
			t.Errorf("%s with a reservation: %+v, %v", platform, spec, err)
		}
		v.Config["ide0"], v.Config["ipconfig0"] = "local-lvm:vm-100-cloudinit,media=cdrom", "ip=127.91.1.11/24"
		want := map[string]string{"metal": "127.91.1.10", "nocloud": "127.91.1.11"}[platform]
		if spec, err := c.specOf(v); err != nil || spec.Address != want {
			t.Errorf("%s with cloud-init data: %+v, %v", platform, spec, err)
		}
	}
}

func TestBootsFromTheDiskOnceTalosIsInstalledThere(t *testing.T) {
	c, v := withCD(t, "nocloud")
	c.lab.Proxmox.Leases = map[string]string{strings.ToLower(testMAC): "127.91.1.10"}
	if spec, err := c.specOf(v); err != nil || spec.Medium != "cdrom" || spec.Image.Version != "v1.13.9" {
		t.Fatalf("at first: %+v, %v", spec, err)
	}
	installed := map[string]any{
		"version": "v1.12.0", "installed": true, "systemDisk": "/dev/sda",
		"installation": map[string]any{"device": "/dev/sda", "platform": "nocloud"},
	}
	if err := statefile.Write(c.lab.Path("machines", v.Machine, "machine.json"), installed); err != nil {
		t.Fatal(err)
	}
	if spec, err := c.specOf(v); err != nil || spec.Medium != "disk" || spec.Image.Version != "v1.12.0" || spec.Platform != "nocloud" {
		t.Errorf("once installed: %+v, %v", spec, err)
	}
	delete(v.Config, "ide2")
	if _, err := c.specOf(v); err != nil {
		t.Errorf("without the CD: %v", err)
	}
	v.Config["boot"] = "order=scsi1"
	if _, err := c.specOf(v); err == nil {
		t.Error("boots from a disk that is not in its boot order")
	}
}
