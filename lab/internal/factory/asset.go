package factory

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"path"
	"regexp"
	"strings"

	"hearth.dev/lab/internal/labconfig"
)

// DiskBytes is the size of the disk in the images for nocloud and metal.
// Source: Talos, pkg/imager/profile, MinRAWDiskSize.
const DiskBytes = int64(1246) << 20

// Asset is a file that the factory builds from a schematic and a release.
type Asset struct {
	labconfig.Image
	// Name is the file's name, MIME its type.
	Name, MIME string
	// Size is the file's size in bytes.
	Size int64
	// Format is iso, raw or qcow2, followed by a suffix if compressed, as in raw.xz.
	Format     string
	Platform   string
	SecureBoot bool

	path string
}

// Paths of assets. Source: siderolabs/image-factory 1.5.0, internal/frontend/http/http.go and
// internal/profile/profile.go.
var (
	assetPath = regexp.MustCompile(`^/image/([^/]+)/([^/]+)/([^/]+)$`)
	assetFile = regexp.MustCompile(`^(nocloud|metal)-(?:amd64|arm64)(-secureboot)?\.((?:iso)|(?:raw|qcow2)(?:\.(?:xz|gz|zst|tar\.gz))?)$`)
	version   = regexp.MustCompile(`^v?(\d+\.\d+\.\d+(?:-(?:alpha|beta|rc)\.\d+)?)$`)
)

// Asset returns the file at a path of the factory.
func (f *Factory) Asset(at string) (*Asset, error) {
	match := assetPath.FindStringSubmatch(at)
	if match == nil {
		return nil, &refusal{status: 404, text: "404 page not found"}
	}
	if !f.Knows(match[1]) {
		return nil, &refusal{status: 404, text: Unknown(match[1])}
	}
	release := version.FindStringSubmatch(match[2])
	if release == nil {
		return nil, &refusal{status: 500, text: "internal server error"}
	}
	file := assetFile.FindStringSubmatch(match[3])
	if file == nil {
		return nil, &refusal{status: 400, text: fmt.Sprintf("error parsing profile from path: invalid profile path: %q", match[3])}
	}
	a := &Asset{
		Image: labconfig.Image{Schematic: match[1], Version: "v" + release[1]},
		Name:  match[3], MIME: mimeType(match[3]), Format: file[3], Platform: file[1], SecureBoot: file[2] != "", path: at,
	}
	a.Size = a.size()
	return a, nil
}

// mimeType returns the MIME type for a file name. Source: siderolabs/image-factory 1.5.0, internal/mime/mime.go.
func mimeType(name string) string {
	switch path.Ext(name) {
	case ".iso":
		return "application/x-iso9660-image"
	case ".xz":
		return "application/x-xz"
	case ".gz":
		return "application/gzip"
	case ".qcow2":
		return "application/x-qemu-disk"
	}
	return "application/octet-stream"
}

// content stands for the file's bytes, which do not exist.
func (a *Asset) content() []byte { return []byte("Talos image " + Host + a.path + "\n") }

// size is invented, but always the same for the same file.
func (a *Asset) size() int64 {
	sum := sha256.Sum256(a.content())
	if a.Format == "raw" {
		return DiskBytes
	}
	return int64(128)<<20 + int64(binary.BigEndian.Uint32(sum[:4]))%(64<<20)
}

// Checksum is the hexadecimal hash of the content.
func (a *Asset) Checksum(algorithm string) string {
	hashes := map[string]func() hash.Hash{
		"md5": md5.New, "sha1": sha1.New, "sha224": sha256.New224, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
	}
	sum := hashes[algorithm]()
	sum.Write(a.content())
	return hex.EncodeToString(sum.Sum(nil))
}

// Unpacked returns the format after decompression, and whether the algorithm matches the file.
func (a *Asset) Unpacked(algorithm string) (string, bool) {
	return strings.CutSuffix(a.Format, "."+algorithm)
}
