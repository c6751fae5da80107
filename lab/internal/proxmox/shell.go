package proxmox

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// host is a node, as its shell sees it.
type host struct {
	*cluster
	node string
}

// importScript is what the Terraform provider asks a host's shell for, because the API imports no files of content type iso: a
// disk is made of a file and attached. Source: bpg/terraform-provider-proxmox 0.112.0, proxmoxtf/resource/vm/disk/disk.go,
// createCustomDisk.
var importScript = []string{
	"source_image=$(try_sudo /usr/sbin/pvesm path $file_id)", "/usr/sbin/qm disk import $vm_id $source_image $datastore_id_target",
	"try_sudo /usr/sbin/qm set $vm_id -${disk_interface} $disk_id",
}

// sudoProbe is how the provider finds out whether it needs sudo. Source: the same, proxmox/ssh/client.go, probeSudo.
const sudoProbe = `if [ "$(id -u)" = "0" ]`

var assignment = regexp.MustCompile(`(?:^|; )([a-z_]+)=([^ ;$()"']*)(?:;|$)`)

// run runs a command of root. The lab has no shell: it knows the scripts of the provider alone.
func (h host) run(command string) (output string, err error) {
	script, isBash := strings.CutPrefix(command, "/bin/bash -c '")
	script = strings.ReplaceAll(strings.TrimSuffix(script, "'"), `'"'"'`, "'")
	if isBash && strings.HasPrefix(script, sudoProbe) {
		return "0\n", nil
	}
	for _, line := range importScript {
		if !isBash || !strings.Contains(script, line) {
			return "", errors.New("the lab's hosts have no shell: they only import disks for the Terraform provider bpg/proxmox")
		}
	}
	values := map[string]string{}
	// Assignments follow each other, and matches must not overlap.
	for part := range strings.SplitSeq(script, "; ") {
		if match := assignment.FindStringSubmatch(part); match != nil {
			values[match[1]] = match[2]
		}
	}
	return h.attachCopy(values)
}

// attachCopy imports a file as a disk, attaches it, and returns what `qm` prints.
func (h host) attachCopy(values map[string]string) (output string, err error) {
	id, err := strconv.Atoi(values["vm_id"])
	if err != nil {
		return "", fmt.Errorf("400 Parameter verification failed.\nvmid: type check ('integer') failed - got '%s'", values["vm_id"])
	}
	disk, err := h.importDisk(id, values["file_id"], values["datastore_id_target"], values["file_format"])
	if err != nil {
		return "", err
	}
	name, drive := values["disk_interface"], disk
	if options := values["disk_options"]; options != "" {
		drive += "," + options
	}
	set := &call{cluster: h.cluster, token: rootUser, params: map[string]string{
		"node": h.node, "vmid": strconv.Itoa(id), name: drive,
	}}
	if wrong := with(vmConfig, updateOnly, pathParameters).check(set.params); wrong[name] != "" {
		return "", fmt.Errorf("400 Parameter verification failed.\n%s: %s", name, wrong[name])
	}
	if _, err := updateVM(set); err != nil {
		return "", err
	}
	return fmt.Sprintf("update VM %d: -%s %s\n", id, name, drive), nil
}

// importDisk makes an unused disk of a machine from a file. Source: qemu-server 9.2.6, PVE/CLI/qm.pm, importdisk, and
// PVE/QemuServer/ImportDisk.pm, do_import.
func (h host) importDisk(id int, file, storage, format string) (disk string, err error) {
	err = h.change(func() error {
		v := h.state.VMs[id]
		if v == nil || v.Node != h.node {
			return noSuchVM(h.node, id)
		}
		if err := v.unlocked(); err != nil {
			return err
		}
		source := h.volume(h.node, file)
		if source == nil {
			return fmt.Errorf("/var/lib/vz-%s: non-existent or non-regular file", strings.Replace(file, ":", "/", 1))
		}
		d, err := h.datastore(storage)
		if err != nil {
			return err
		}
		if !d.has("images") {
			return fmt.Errorf("storage %s does not support vm images", storage)
		}
		if d.checkFormat(format) != nil {
			format = "raw"
		}
		made := &volume{
			Node: h.node, ID: h.freeVolumeID(v, d, format), Content: "images", Format: format, VMID: id, CTime: time.Now().Unix(),
			Size: source.diskSize(), Image: source.Image,
		}
		if free := datastoreBytes - h.used(h.node, storage); made.Size > free {
			return fmt.Errorf("not enough space in '%s': %s needed, %s free", storage, formatSize(made.Size), formatSize(free))
		}
		h.state.Volumes[volumeKey(h.node, made.ID)] = made
		v.addUnused(made.ID)
		disk = made.ID
		return nil
	})
	return disk, err
}
