package cloudflare

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// contents is all that the simulator keeps.
type contents struct {
	// Records are DNS records by ID.
	Records map[string]*record `json:"records"`
	// Tunnels are tunnels by ID; deleted ones stay.
	Tunnels map[string]*tunnel `json:"tunnels"`
}

// store keeps the contents in a file.
type store struct {
	path string

	mu   sync.Mutex
	held []byte
}

func openStore(path string) (*store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	s := &store{path: path}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		raw, err = []byte("{}"), nil
	}
	if err != nil {
		return nil, err
	}
	s.held = raw
	if _, err := s.decode(); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w; run `npm run lab -- reset`", path, err)
	}
	return s, nil
}

func (s *store) decode() (*contents, error) {
	held := &contents{Records: map[string]*record{}, Tunnels: map[string]*tunnel{}}
	return held, json.Unmarshal(s.held, held)
}

// read gives a copy of the contents.
func (s *store) read() (*contents, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.decode()
}

// change lets edit change a copy of the contents, and keeps it where edit and writing succeed.
func (s *store) change(edit func(*contents) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, err := s.decode()
	if err != nil {
		return err
	}
	if err := edit(held); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(held, "", "  ")
	if err != nil {
		return err
	}
	if err := writeFile(s.path, raw); err != nil {
		return fmt.Errorf("keeping the state: %w; free some space or make the folder writable", err)
	}
	s.held = raw
	return nil
}

// writeFile replaces a file as a whole.
func writeFile(path string, raw []byte) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), ".state-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			file.Close()
			os.Remove(file.Name())
		}
	}()
	if _, err = file.Write(raw); err != nil {
		return err
	}
	if err = file.Sync(); err != nil {
		return err
	}
	if err = file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
