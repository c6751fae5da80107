package pods

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"hearth.dev/lab/internal/atomicfile"
)

// replace writes content to a file if it differs, and creates the folder if needed.
func replace(file string, content []byte) error {
	if old, err := os.ReadFile(file); err == nil && bytes.Equal(old, content) {
		return nil
	}
	err := os.MkdirAll(filepath.Dir(file), 0o700)
	if err == nil {
		err = atomicfile.Write(file, content, 0o600)
	}
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("writing %s: the disk is full", file)
	}
	return err
}
