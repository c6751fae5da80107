// Package statefile keeps a simulator's state in a JSON file, across restarts.
package statefile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"hearth.dev/lab/internal/atomicfile"
)

// Read decodes the file at path into state. Without a file it leaves state unchanged. The error for a damaged file
// names the file and the remedy.
func Read(path string, state any, remedy string) error {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the state: %w", err)
	}
	if err := json.Unmarshal(raw, state); err != nil {
		return fmt.Errorf("%s is damaged: %w; %s", path, err, remedy)
	}
	return nil
}

// Write encodes state into the file at path and creates its folder. If that fails, for example on a full disk, the old
// file stays intact.
func Write(path string, state any) error {
	raw, err := json.MarshalIndent(state, "", "  ")
	if err != nil {
		return err
	}
	if err = os.MkdirAll(filepath.Dir(path), 0o700); err == nil {
		err = atomicfile.Write(path, raw, 0o600)
	}
	if err != nil {
		return fmt.Errorf("keeping the state: %w; free some space or make the folder writable", err)
	}
	return nil
}
