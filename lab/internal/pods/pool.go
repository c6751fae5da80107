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

// keepPool keeps the pool that the machines' disks make up together, as Ceph does: a machine that joins gets a part, and the
// pool is lost with the last disk that had one. False: there is no disk for a pool.
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
		// A machine may go at any moment.
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

// parts are the IDs of the pools that the machines' disks have a part of, by the file that says so; empty for none. The file
// is on the partition that a reset wipes. Before Talos is installed there is no such partition.
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

// losePool removes all data, and last what tells that there was some.
func (s *storage) losePool() error {
	for _, name := range []string{"volumes", "snapshots", "pool"} {
		if err := os.RemoveAll(s.path(name)); err != nil {
			return err
		}
	}
	return nil
}
