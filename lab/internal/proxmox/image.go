package proxmox

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"hearth.dev/lab/internal/labconfig"
)

// factoryHost is the only host from which the simulated hosts can download.
const factoryHost = "factory.talos.dev"

// talosDiskBytes is the size of the disk in an Image Factory disk image for nocloud and metal.
// Source: Talos, pkg/imager/profile, MinRAWDiskSize.
const talosDiskBytes = int64(1246) << 20

// download is what a URL leads to.
type download struct {
	url string
	// name is the file's name in the URL.
	name string
	// size is that of the file, in bytes.
	size int64
	mime string
	// format is iso, raw, qcow2, or with a suffix when compressed, as in raw.xz.
	format string
	image  bootImage
}

// Paths of Image Factory. Source: siderolabs/image-factory, internal/profile/profile.go and docs/api.md.
var (
	factoryPath = regexp.MustCompile(`^/image/([0-9a-f]{64})/(v\d+\.\d+\.\d+(?:-(?:alpha|beta|rc)\.\d+)?)/([^/]+)$`)
	factoryFile = regexp.MustCompile(`^(nocloud|metal)-amd64(-secureboot)?\.((?:iso)|(?:raw|qcow2)(?:\.(?:xz|gz|zst|tar\.gz))?)$`)
)

// lookUp asks the host of a URL for the file, as a HEAD request does. The error is what the host's client says.
func lookUp(raw string) (*download, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("invalid server response: '500 Bad URL'\n")
	}
	if u.Host != factoryHost || u.Scheme != "https" {
		return nil, fmt.Errorf("invalid server response: '500 Can't connect to %s (Name or service not known)'\n", u.Host)
	}
	match := factoryPath.FindStringSubmatch(u.Path)
	if match == nil || u.RawQuery != "" {
		return nil, fmt.Errorf("invalid server response: '%d Not Found'\n", http.StatusNotFound)
	}
	file := factoryFile.FindStringSubmatch(match[3])
	if file == nil {
		return nil, fmt.Errorf("invalid server response: '%d Bad Request'\n", http.StatusBadRequest)
	}
	d := &download{url: raw, name: match[3], format: file[3], mime: "application/octet-stream"}
	d.image = bootImage{Image: labconfig.Image{Schematic: match[1], Version: match[2]}, Platform: file[1], SecureBoot: file[2] != ""}
	d.size = d.fileSize()
	return d, nil
}

// content stands for the file's bytes, which are not there.
func (d *download) content() []byte {
	return []byte("Talos image " + strings.TrimPrefix(d.url, "https://") + "\n")
}

// fileSize is made up, but always the same for the same file.
func (d *download) fileSize() int64 {
	sum := sha256.Sum256(d.content())
	variation := int64(binary.BigEndian.Uint32(sum[:4])) % (64 << 20)
	if d.format == "raw" {
		return talosDiskBytes
	}
	return int64(128)<<20 + variation
}

// checksum is the hash of the content in hexadecimal.
func (d *download) checksum(algorithm string) string {
	content := d.content()
	switch algorithm {
	case "md5":
		sum := md5.Sum(content)
		return hex.EncodeToString(sum[:])
	case "sha1":
		sum := sha1.Sum(content)
		return hex.EncodeToString(sum[:])
	case "sha224":
		sum := sha256.Sum224(content)
		return hex.EncodeToString(sum[:])
	case "sha256":
		sum := sha256.Sum256(content)
		return hex.EncodeToString(sum[:])
	case "sha384":
		sum := sha512.Sum384(content)
		return hex.EncodeToString(sum[:])
	}
	sum := sha512.Sum512(content)
	return hex.EncodeToString(sum[:])
}

// unpacked gives the format after decompression, and whether the algorithm fits the file.
func (d *download) unpacked(algorithm string) (string, bool) {
	return strings.CutSuffix(d.format, "."+algorithm)
}
