package cloudflare

import (
	"encoding/json"
	"sync"

	"hearth.dev/lab/internal/statefile"
)

// contents is the simulator's state.
type contents struct {
	// Records maps IDs to DNS records.
	Records map[string]*record `json:"records"`
	// Tunnels maps IDs to tunnels, including deleted ones.
	Tunnels map[string]*tunnel `json:"tunnels"`
}

// store keeps the contents in a file.
type store struct {
	path string

	mu   sync.Mutex
	held []byte
}

func openStore(path string) (*store, error) {
	held := empty()
	if err := statefile.Read(path, held, "run `npm run lab -- reset`"); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(held)
	return &store{path: path, held: raw}, err
}

func empty() *contents {
	return &contents{Records: map[string]*record{}, Tunnels: map[string]*tunnel{}}
}

func (s *store) decode() (*contents, error) {
	held := empty()
	return held, json.Unmarshal(s.held, held)
}

// read returns a copy of the contents.
func (s *store) read() (*contents, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.decode()
}

// change applies edit to a copy of the contents, which it stores if edit succeeds.
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
	raw, err := json.Marshal(held)
	if err != nil {
		return err
	}
	if err := statefile.Write(s.path, held); err != nil {
		return err
	}
	s.held = raw
	return nil
}
