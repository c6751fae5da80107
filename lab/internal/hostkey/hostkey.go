// Package hostkey keeps the keys of the lab's SSH servers.
package hostkey

import (
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"

	gossh "golang.org/x/crypto/ssh"

	"hearth.dev/lab/internal/atomicfile"
)

// Open reads a server's private key from the file at path, or creates it.
func Open(path string) (gossh.Signer, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		raw, err = create(path)
	}
	if err != nil {
		return nil, err
	}
	return gossh.ParsePrivateKey(raw)
}

func create(path string) ([]byte, error) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	block, err := gossh.MarshalPrivateKey(key, "hearth lab")
	if err != nil {
		return nil, err
	}
	raw := pem.EncodeToMemory(block)
	return raw, atomicfile.Write(path, raw, 0o600)
}
