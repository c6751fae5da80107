package pods

import (
	"errors"
	"io/fs"
	"log"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"hearth.dev/lab/internal/atomicfile"
)

// keepPool maintains the storage pool that the machines' disks form together, as Ceph does. A machine that joins gets a
// part, and the pool is lost with the last disk that has one. It returns false if there is no disk for a pool.
func (s *storage) keepPool() (bool, error) {
	raw, err := os.ReadFile(s.path("pool"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	parts, err := s.parts()
	if err != nil {
		return false, err
	}
	id, isWhole := string(raw), false
	for _, part := range parts {
		isWhole = isWhole || part == id
	}
	if id != "" && !isWhole {
		if err := s.losePool(); err != nil {
			return false, err
		}
		log.Printf("pods: the storage pool %s is lost: no machine has a part of it any more", id)
		id = ""
	}
	if len(parts) == 0 {
		return false, nil
	}
	isNew := id == ""
	if isNew {
		id = uuid.New().String()
	}
	for file, part := range parts {
		if part == id {
			continue
		}
		// A machine may be removed at any moment.
		if err := atomicfile.Write(file, []byte(id), 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
	}
	if isNew {
		if err := makeFolder(s.path()); err != nil {
			return false, err
		}
		return true, atomicfile.Write(s.path("pool"), []byte(id), 0o600)
	}
	return true, nil
}

// parts maps the file that marks a machine's part of a pool to the pool's ID, empty if it has no part. A reset wipes
// the partition that holds the file. The partition does not exist before Talos is installed.
func (s *storage) parts() (map[string]string, error) {
	machines, err := os.ReadDir(s.lab.Path("machines"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	parts := map[string]string{}
	for _, machine := range machines {
		partition := s.lab.Path("machines", machine.Name(), "var")
		if _, err := os.Stat(partition); err != nil {
			continue
		}
		file := filepath.Join(partition, "storage-pool")
		id, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		parts[file] = string(id)
	}
	return parts, nil
}

// losePool removes all data, and last the record that there was some.
func (s *storage) losePool() error {
	for _, name := range []string{"volumes", "snapshots", "pool"} {
		if err := os.RemoveAll(s.path(name)); err != nil {
			return err
		}
	}
	return nil
}
