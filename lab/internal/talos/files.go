package talos

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/siderolabs/talos/pkg/machinery/api/common"
	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// folders that every machine has besides those of its files.
var folders = []string{"/boot", "/dev", "/etc", "/opt", "/proc", "/run", "/sbin", "/sys", "/system", "/tmp", "/usr", "/var/lib", "/var/log"}

// files are the machine's files: few, but consistent with what the other calls say.
func (b *boot) files() map[string]string {
	version := b.image.Version
	total, used := b.memoryUse()
	all := map[string]string{
		"/proc/sys/kernel/random/boot_id": b.id + "\n",
		"/proc/uptime":                    fmt.Sprintf("%.2f 0.00\n", time.Since(b.started).Seconds()),
		"/proc/version":                   "Linux version 6.18.0-talos\n",
		"/proc/cmdline":                   "talos.platform=" + b.machine.platform() + " console=tty0 init_on_alloc=1 slab_nomerge pti=on\n",
		"/proc/bus/pci/devices":           b.pciList(),
		"/proc/meminfo":                   fmt.Sprintf("MemTotal: %d kB\nMemFree: %d kB\nMemAvailable: %d kB\n", total, total-used, total-used),
		"/proc/loadavg":                   "0.10 0.10 0.10 1/" + fmt.Sprint(len(b.running())) + " 4096\n",
		"/etc/hostname":                   b.name() + "\n",
		"/etc/hosts":                      fmt.Sprintf("127.0.0.1 localhost\n%s %s\n", b.machine.address, b.name()),
		"/etc/resolv.conf":                "nameserver 127.0.0.53\n",
		"/etc/os-release": fmt.Sprintf("NAME=\"Talos\"\nID=talos\nVERSION_ID=%s\nPRETTY_NAME=\"Talos (%s)\"\nHOME_URL=\"https://www.talos.dev/\"\n",
			version, version),
	}
	maps.Copy(all, b.cgroupFiles())
	if stored, err := b.machine.disk.config(); err == nil && stored != nil {
		all["/system/state/config.yaml"] = string(stored)
	}
	return all
}

// node is a file or a folder of the machine.
type node struct {
	path    string
	content string
	isDir   bool
}

// tree returns a file, or a folder with all below it, in the order of their paths. Parents of files are folders.
func (b *boot) tree(root string) ([]node, error) {
	found := map[string]node{"/": {path: "/", isDir: true}}
	add := func(folder string) {
		for ; folder != "/"; folder = path.Dir(folder) {
			found[folder] = node{path: folder, isDir: true}
		}
	}
	for _, folder := range folders {
		add(folder)
	}
	for name, content := range b.files() {
		add(path.Dir(name))
		found[name] = node{path: name, content: content}
	}
	if _, exists := found[root]; !exists {
		return nil, &fs.PathError{Op: "lstat", Path: root, Err: errors.New("no such file or directory")}
	}
	var all []node
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if name == root || strings.HasPrefix(name, strings.TrimSuffix(root, "/")+"/") {
			all = append(all, found[name])
		}
	}
	return all, nil
}

func (n node) mode() fs.FileMode {
	if n.isDir {
		return fs.ModeDir | 0o755
	}
	return 0o644
}

// relative is a path below a root, "." for the root itself.
func relative(root, name string) string {
	if name == root {
		return "."
	}
	return strings.TrimPrefix(strings.TrimPrefix(name, strings.TrimSuffix(root, "/")), "/")
}

// Read returns a file.
func (m *machined) Read(in *machine.ReadRequest, stream grpc.ServerStreamingServer[common.Data]) error {
	found, err := m.tree(path.Clean(in.Path))
	if err != nil {
		return status.Errorf(codes.NotFound, "stat %s: no such file or directory", in.Path)
	}
	if found[0].isDir {
		return errors.New("path must be a regular file")
	}
	return stream.Send(&common.Data{Bytes: []byte(found[0].content)})
}

// List lists a folder. Source: siderolabs/talos v1.13.9, internal/app/machined/internal/server/v1alpha1, List;
// pkg/archiver/walker.go.
func (m *machined) List(in *machine.ListRequest, stream grpc.ServerStreamingServer[machine.FileInfo]) error {
	root := path.Clean("/" + in.Root)
	found, err := m.tree(root)
	if err != nil {
		return err
	}
	depth := 1
	if in.Recurse {
		depth = int(in.RecursionDepth)
	}
	for _, each := range found {
		name := relative(root, each.path)
		if depth > 0 && name != "." && strings.Count(name, "/") >= depth || !wantsType(in.Types, each) {
			continue
		}
		err := stream.Send(&machine.FileInfo{
			Name: each.path, RelativeName: name, Size: int64(len(each.content)), Mode: uint32(each.mode()), IsDir: each.isDir,
			Modified: m.started.Unix(),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func wantsType(types []machine.ListRequest_Type, each node) bool {
	kind := machine.ListRequest_REGULAR
	if each.isDir {
		kind = machine.ListRequest_DIRECTORY
	}
	return len(types) == 0 || slices.Contains(types, kind)
}

// Copy sends a file or folder as a compressed archive.
func (m *machined) Copy(in *machine.CopyRequest, stream grpc.ServerStreamingServer[common.Data]) error {
	root := path.Clean(in.RootPath)
	if !path.IsAbs(root) {
		return fmt.Errorf("path is not absolute %v", root)
	}
	found, err := m.tree(root)
	if err != nil {
		return stream.Send(&common.Data{Metadata: &common.Metadata{Error: err.Error()}})
	}
	content, err := archive(root, found, m.started)
	if err != nil {
		return err
	}
	return sendAll(stream, bytes.NewReader(content))
}

func archive(root string, found []node, modified time.Time) ([]byte, error) {
	var out bytes.Buffer
	compressed := gzip.NewWriter(&out)
	writer := tar.NewWriter(compressed)
	for _, each := range found {
		// Source: siderolabs/talos v1.13.9, pkg/archiver: a copied folder is not in its own archive, and talosctl makes it.
		if each.isDir && each.path == root {
			continue
		}
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: relative(root, each.path), Size: int64(len(each.content)), Mode: int64(each.mode().Perm()), ModTime: modified,
		}
		if each.isDir {
			header.Typeflag = tar.TypeDir
		} else if header.Name == "." {
			header.Name = path.Base(each.path)
		}
		if err := writer.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := writer.Write([]byte(each.content)); err != nil {
			return nil, err
		}
	}
	err := errors.Join(writer.Close(), compressed.Close())
	return out.Bytes(), err
}

// DiskUsage returns the sizes of files and folders. Like Talos v1.13.9, it looks at the first path alone.
func (m *machined) DiskUsage(in *machine.DiskUsageRequest, stream grpc.ServerStreamingServer[machine.DiskUsageInfo]) error {
	if len(in.Paths) == 0 {
		return nil
	}
	root := path.Clean("/" + in.Paths[0])
	found, err := m.tree(root)
	if err != nil {
		return stream.Send(&machine.DiskUsageInfo{Name: root, RelativeName: root, Error: err.Error()})
	}
	for _, each := range slices.Backward(found) {
		name := relative(root, each.path)
		size := int64(0)
		for _, below := range found {
			if below.path == each.path || strings.HasPrefix(below.path, strings.TrimSuffix(each.path, "/")+"/") {
				size += int64(len(below.content))
			}
		}
		isDeep := in.RecursionDepth > 0 && name != "." && strings.Count(name, "/")+1 >= int(in.RecursionDepth)
		isSmall := in.Threshold > 0 && size < in.Threshold || in.Threshold < 0 && size > -in.Threshold
		if isDeep || isSmall || !each.isDir && !in.All {
			continue
		}
		if err := stream.Send(&machine.DiskUsageInfo{Name: each.path, RelativeName: name, Size: size}); err != nil {
			return err
		}
	}
	return nil
}
