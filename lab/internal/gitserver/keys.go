package gitserver

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/gliderlabs/ssh"
	gossh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"hearth.dev/lab/internal/atomicfile"
	"hearth.dev/lab/internal/hostkey"
)

// openHostKey reads the server's key, or creates one, and writes the known_hosts line for clients.
func openHostKey(dir, address string) (gossh.Signer, error) {
	path := filepath.Join(dir, "host_key")
	signer, err := hostkey.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the Git server's host key %s: %w", path, err)
	}
	line := knownhosts.Line([]string{address}, signer.PublicKey()) + "\n"
	return signer, atomicfile.Write(filepath.Join(dir, "known_hosts"), []byte(line), 0o644)
}

// authorized reports whether the file of authorized keys lists key. A line that cannot be parsed authorizes nobody.
func authorized(dir string, key gossh.PublicKey) bool {
	path := filepath.Join(dir, "authorized_keys")
	file, err := os.Open(path)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			log.Print(err)
		}
		return false
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		listed, _, _, _, err := gossh.ParseAuthorizedKey([]byte(line))
		if err != nil {
			log.Printf("%s:%d is not a public key: %v", path, number, err)
			continue
		}
		if ssh.KeysEqual(listed, key) {
			return true
		}
	}
	return false
}
