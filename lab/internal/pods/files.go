package pods

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// writeAtomic replaces a file's content, so that a reader sees the old or the new one. Equal content is left alone.
func writeAtomic(file string, content []byte, mode os.FileMode) error {
	if old, err := os.ReadFile(file); err == nil && bytes.Equal(old, content) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(filepath.Dir(file), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(content)
	err = errors.Join(err, temporary.Chmod(mode), temporary.Sync(), temporary.Close())
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("writing %s: the disk is full", file)
	}
	if err != nil {
		return err
	}
	return os.Rename(temporary.Name(), file)
}
