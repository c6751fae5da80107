package proxmox

import (
	"errors"
	"io"
	"mime/multipart"
	"regexp"
	"strconv"
	"strings"
	"time"

	"hearth.dev/lab/internal/factory"
)

// downloadTime is how long a simulated download takes.
const downloadTime = 300 * time.Millisecond

// Valid names of content. Source: Proxmox VE 9, pve-storage, PVE/Storage.pm.
var (
	isoName      = regexp.MustCompile(`^[^/]+\.(?i:iso|img)$`)
	templateName = regexp.MustCompile(`^[^/]+(?i:\.tar(?:\.(?:gz|xz|zst|bz2))?)$`)
	importName   = regexp.MustCompile(`^[a-zA-Z0-9\-.+=_]+\.(ova|qcow2|raw|vmdk)$`)
	unsafeInName = regexp.MustCompile(`[^a-zA-Z0-9_.\-]`)
)

// normalizeName returns Proxmox's form of a requested file name.
func normalizeName(name string) string {
	name = strings.TrimSuffix(name, "\n")
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	return unsafeInName.ReplaceAllString(name, "_")
}

// contentName checks the name of a file of the given content type and returns the file's format.
func contentName(content, name string) (string, error) {
	switch content {
	case "iso":
		if isoName.MatchString(name) {
			return "iso", nil
		}
		return "", invalidField("filename", "wrong file extension")
	case "vztmpl":
		if templateName.MatchString(name) {
			return "tgz", nil
		}
		return "", invalidField("filename", "wrong file extension")
	}
	if match := importName.FindStringSubmatch(name); match != nil {
		return match[1], nil
	}
	return "", invalidField("filename", "invalid filename or wrong extension")
}

// target checks that the call's storage accepts the content, and returns the volume's ID and format.
func (c *call) target(content, name string) (id, format string, err error) {
	d, err := c.datastore(c.str("storage"))
	if err != nil {
		return "", "", err
	}
	if !d.files() {
		return "", "", fail("can't upload to storage type '%s', not a file based storage!", d.kind())
	}
	if !d.has(content) {
		return "", "", fail("storage '%s' is not configured for content-type '%s'", d.name, content)
	}
	name = normalizeName(name)
	if format, err = contentName(content, name); err != nil {
		return "", "", err
	}
	return d.name + ":" + content + "/" + name, format, nil
}

func downloadURL(c *call) (any, error) {
	id, format, err := c.target(c.str("content"), c.str("filename"))
	if err != nil {
		return nil, err
	}
	node := c.str("node")
	return c.begin(node, "download", normalizeName(c.str("filename")), func(say func(string, ...any)) error {
		return c.fetch(node, id, format, say)
	})
}

// fetch is the task that downloads.
func (c *call) fetch(node, id, format string, say func(string, ...any)) error {
	compression := c.str("compression")
	if compression != "" && c.str("content") != "iso" {
		return errors.New("decompression not supported for " + c.str("content"))
	}
	_, path, _ := strings.Cut(id, ":")
	say("downloading %s to /var/lib/vz-%s/%s", c.str("url"), c.str("storage"), path)
	c.mu.Lock()
	existing := c.volume(node, id)
	c.mu.Unlock()
	file, lookUpError := c.lookUp(c.str("url"))
	algorithm, expected := c.str("checksum-algorithm"), strings.ToLower(c.str("checksum"))
	if existing != nil {
		if algorithm != "" && lookUpError == nil && file.Checksum(algorithm) == expected {
			say("calculating checksum of existing file...OK, got correct file already, no need to download")
			return nil
		}
		return fail("refusing to override existing file '/var/lib/vz-%s/%s'", c.str("storage"), path)
	}
	time.Sleep(downloadTime)
	if lookUpError != nil {
		code := 8
		if strings.Contains(lookUpError.Error(), "Can't connect") {
			code = 4
		}
		say("%s", strings.TrimSpace(lookUpError.Error()))
		return fail("download failed: command 'wget --progress=dot:giga -O /var/lib/vz-%s/%s.tmp_dwnl %s' failed: exit code %d",
			c.str("storage"), path, c.str("url"), code)
	}
	if algorithm != "" {
		if got := file.Checksum(algorithm); got != expected {
			return fail("checksum mismatch: got '%s' != expect '%s'", got, expected)
		}
		say("calculating checksum...OK, checksum verified")
	}
	v, err := stored(file, c.str("content"), format, compression)
	if err != nil {
		return err
	}
	v.Node, v.ID, v.CTime = node, id, time.Now().Unix()
	say("download of '%s' to '/var/lib/vz-%s/%s' finished", c.str("url"), c.str("storage"), path)
	return c.change(func() error {
		c.state.Volumes[volumeKey(node, id)] = v
		return nil
	})
}

// stored returns the volume for a downloaded file, decompressed if that was requested.
func stored(file *factory.Asset, content, format, compression string) (*volume, error) {
	found := file.Format
	v := &volume{Content: content, Format: format, Size: file.Size}
	if compression != "" {
		unpacked, fits := file.Unpacked(compression)
		if !fits {
			return nil, fail("command '%s' failed: exit code 1", map[string]string{
				"gz": "zcat", "zst": "zstd -q -d", "lzo": "lzop -d -c", "bz2": "bzcat",
			}[compression])
		}
		found, v.Size = unpacked, factory.DiskBytes
	}
	if content == "import" && found != format {
		return nil, fail("failed to verify file: file_size_info: '%s' is not a %s image", file.Name, format)
	}
	if found == "iso" || found == "raw" || found == "qcow2" {
		v.Image = &bootImage{Image: file.Image, Platform: file.Platform, SecureBoot: file.SecureBoot}
		v.VirtualSize = factory.DiskBytes
	}
	return v, nil
}

func queryURLMetadata(c *call) (any, error) {
	file, err := c.lookUp(c.str("url"))
	if err != nil {
		return nil, fail("%s", err.Error())
	}
	return map[string]any{"filename": file.Name, "size": file.Size, "mimetype": file.MIME}, nil
}

// readMultipart reads an upload. The file's bytes are only counted.
func (c *call) readMultipart(body io.Reader, boundary string, inPath map[string]string) error {
	reader := multipart.NewReader(body, boundary)
	for {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fail("wrong multipart content: %v", err)
		}
		if part.FileName() != "" {
			size, err := io.Copy(io.Discard, part)
			if err != nil {
				return fail("upload failed: %v", err)
			}
			c.upload = &upload{part.FileName(), size}
			c.params[part.FormName()] = part.FileName()
			continue
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return fail("upload failed: %v", err)
		}
		if err := c.add(map[string][]string{part.FormName(): {string(value)}}, inPath); err != nil {
			return err
		}
	}
}

func uploadContent(c *call) (any, error) {
	if c.upload == nil {
		return nil, fail("missing temporary file - internal error")
	}
	content := c.str("content")
	id, format, err := c.target(content, c.upload.name)
	if err != nil {
		return nil, err
	}
	node := c.str("node")
	return c.begin(node, "imgcopy", "", func(say func(string, ...any)) error {
		say("starting file import from: /var/tmp/pveupload")
		say("file size is: %s", strconv.FormatInt(c.upload.size, 10))
		return c.change(func() error {
			c.state.Volumes[volumeKey(node, id)] = &volume{
				Node: node, ID: id, Content: content, Format: format, Size: c.upload.size, VirtualSize: c.upload.size, CTime: time.Now().Unix(),
			}
			return nil
		})
	})
}
