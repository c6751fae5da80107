package pods

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// memory is where Linux keeps files in memory. It is a small place in most containers.
const memory = "/dev/shm"

// room is what has to be free there, in bytes.
const room = 1 << 30

// temporary is the folder of the programs' temporary files.
//
// Flux unpacks the whole tree for each Kustomization that it applies and deletes it again. On a disk this can take more processor time than
// all else that it does. Measured on ext4 with Linux 6.18, by perf: most of it was in recently_deleted and what calls it for each new file.
type temporary struct {
	// root is empty where files in memory cannot be had.
	root string
}

// newTemporary takes a folder below parent for the lab in dir, if so many bytes are free there, and deletes what an earlier runner left.
func newTemporary(parent, dir string, room uint64) temporary {
	root := filepath.Join(parent, fmt.Sprintf("hearth-lab-%x", sha256.Sum256([]byte(dir)))[:27])
	if !isOwn(root) || os.RemoveAll(root) != nil || freeIn(parent) < room || os.Mkdir(root, 0o700) != nil {
		return temporary{}
	}
	return temporary{root: root}
}

// isOwn reports whether nobody else has a path: everybody may create files in memory.
func isOwn(path string) bool {
	found, err := os.Lstat(path)
	if os.IsNotExist(err) {
		return true
	}
	if err != nil || !found.IsDir() {
		return false
	}
	status, ok := found.Sys().(*syscall.Stat_t)
	return ok && int(status.Uid) == os.Getuid()
}

// freeIn returns the bytes that are free in a folder; none if nobody can tell.
func freeIn(folder string) uint64 {
	var found syscall.Statfs_t
	if syscall.Statfs(folder, &found) != nil {
		return 0
	}
	return found.Bavail * uint64(found.Bsize)
}

// folder returns the folder of a pod's temporary files; or otherwise, if files in memory cannot be had.
func (t temporary) folder(uid, otherwise string) string {
	if t.root == "" {
		return otherwise
	}
	return filepath.Join(t.root, uid)
}

// remove deletes a pod's temporary files.
func (t temporary) remove(uid string) error {
	if t.root == "" {
		return nil
	}
	return os.RemoveAll(filepath.Join(t.root, uid))
}

// close deletes all of them.
func (t temporary) close() error {
	if t.root == "" {
		return nil
	}
	return os.RemoveAll(t.root)
}
