package proxmox

import (
	"net"
	"strings"
	"testing"

	gossh "golang.org/x/crypto/ssh"
)

// importing is the script with which the Terraform provider imports a disk, with the given assignments.
func importing(assignments string) string {
	return `/bin/bash -c 'export TRY_SUDO_USE_SUDO=0; set -e; try_sudo(){ "$@"; }; ` + assignments +
		`; source_image=$(try_sudo /usr/sbin/pvesm path $file_id); ` +
		`imported_disk=$(try_sudo /usr/sbin/qm disk import $vm_id $source_image $datastore_id_target -format $file_format | grep unused0 | cut -d : -f 3 | cut -d \'"'"' -f 1); ` +
		`disk_id=${datastore_id_target}:$imported_disk,$disk_options; try_sudo /usr/sbin/qm set $vm_id -${disk_interface} $disk_id'`
}

const fits = "file_id=local:iso/talos.iso; file_format=raw; datastore_id_target=local-lvm; vm_id=100; disk_options=iothread=1,discard=on; disk_interface=virtio0"

func TestAHostsShellImportsDisks(t *testing.T) {
	c, v := withCD(t, "nocloud")
	c.state.Volumes[volumeKey("pve1", "local:iso/talos.iso")].VirtualSize = 2 << 30
	if output, err := (host{c, "pve1"}).run(importing(fits)); err != nil || !strings.Contains(output, "update VM 100: -virtio0") {
		t.Fatalf("%q, %v", output, err)
	}
	drive := v.drive("virtio0")
	if drive["file"] != "local-lvm:vm-100-disk-1" || drive["iothread"] != "1" || drive["discard"] != "on" || drive["size"] != "2G" {
		t.Errorf("the drive is %v", drive)
	}
	if _, unused := v.Config["unused0"]; unused {
		t.Error("the attached disk is still unused")
	}
	if made := c.volume("pve1", "local-lvm:vm-100-disk-1"); made == nil || made.Image == nil || made.VMID != 100 {
		t.Errorf("the volume is %+v", made)
	}
}

func TestAHostsShellRefusesAsItsToolsDo(t *testing.T) {
	for change, want := range map[string]string{
		"file_id=local:iso/none.img":    "/var/lib/vz-local/iso/none.img: non-existent or non-regular file",
		"vm_id=102":                     "Configuration file 'nodes/pve1/qemu-server/102.conf' does not exist",
		"vm_id=101":                     "VM is locked (backup)",
		"datastore_id_target=none":      "storage 'none' does not exist",
		"datastore_id_target=local":     "storage local does not support vm images",
		"disk_options=iothread=perhaps": "400 Parameter verification failed.",
	} {
		c, _ := withCD(t, "nocloud")
		name, _, _ := strings.Cut(change, "=")
		before := len(c.state.Volumes)
		_, err := host{c, "pve1"}.run(importing(strings.Replace(fits, "; "+name+"=", "; old_"+name+"=", 1) + "; " + change))
		if name == "file_id" {
			_, err = host{c, "pve1"}.run(importing(strings.Replace(fits, "file_id=local:iso/talos.iso", change, 1)))
		}
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", change, err)
		}
		if name != "disk_options" && len(c.state.Volumes) != before {
			t.Errorf("%s: made a volume", change)
		}
	}
	c, _ := testCluster(t)
	if _, err := (host{c, "pve1"}).run("/bin/bash -c 'rm -rf /'"); err == nil {
		t.Error("runs a command that it does not know")
	}
}

func TestRootSignsInToAHost(t *testing.T) {
	c, _ := testCluster(t)
	c.lab.Proxmox.SSH, c.lab.Proxmox.Password = map[string]string{"pve1": "127.91.9.22:2222"}, testPassword
	if err := c.startSSH(t.Context()); err != nil {
		t.Fatal(err)
	}
	dial := func(user, password string) (*gossh.Client, error) {
		return gossh.Dial("tcp", "127.91.9.22:2222", &gossh.ClientConfig{
			User: user, Auth: []gossh.AuthMethod{gossh.Password(password)},
			HostKeyCallback: func(string, net.Addr, gossh.PublicKey) error { return nil },
		})
	}
	for _, wrong := range [][2]string{{"root", "other"}, {"root", ""}, {"hearth", testPassword}} {
		if _, err := dial(wrong[0], wrong[1]); err == nil {
			t.Errorf("%v may sign in", wrong)
		}
	}
	client, err := dial("root", testPassword)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if output, err := session.CombinedOutput(`/bin/bash -c '` + sudoProbe + `; then echo "0"; fi'`); err != nil || string(output) != "0\n" {
		t.Errorf("%q, %v", output, err)
	}
}

func TestOnlyNodesHaveSSH(t *testing.T) {
	c, _ := testCluster(t)
	c.lab.Proxmox.SSH = map[string]string{"pve3": "127.91.9.23:2222"}
	if err := c.startSSH(t.Context()); err == nil || !strings.Contains(err.Error(), `there is no node "pve3"`) {
		t.Errorf("got %v", err)
	}
}
