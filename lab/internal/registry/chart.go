package registry

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/yaml"
)

// chart is a Helm chart: its parsed Chart.yaml, and its files by path below the chart's folder.
type chart struct {
	metadata map[string]any
	files    map[string][]byte
}

func newChart(files map[string][]byte) (*chart, error) {
	c := &chart{files: files}
	if err := yaml.Unmarshal(files["Chart.yaml"], &c.metadata); err != nil {
		return nil, fmt.Errorf("Chart.yaml: %w", err)
	}
	if c.name() == "" || c.version() == "" {
		return nil, fmt.Errorf("Chart.yaml has no name or no version")
	}
	return c, nil
}

func (c *chart) text(key string) string {
	value, _ := c.metadata[key].(string)
	return value
}

func (c *chart) name() string    { return c.text("name") }
func (c *chart) version() string { return c.text("version") }

// tag is the version as an OCI tag, for which Helm replaces "+" by "_".
func (c *chart) tag() string { return strings.ReplaceAll(c.version(), "+", "_") }

// archive packs the chart like `helm package`. The same chart always gives the same bytes.
func (c *chart) archive() ([]byte, error) {
	var packed bytes.Buffer
	zipped := gzip.NewWriter(&packed)
	tarred := tar.NewWriter(zipped)
	for _, name := range c.order() {
		header := &tar.Header{
			Name: path.Join(c.name(), name), Mode: 0o644, Size: int64(len(c.files[name])),
			ModTime: time.Unix(0, 0), Typeflag: tar.TypeReg,
		}
		if err := tarred.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := tarred.Write(c.files[name]); err != nil {
			return nil, err
		}
	}
	if err := tarred.Close(); err != nil {
		return nil, err
	}
	if err := zipped.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

// order puts Chart.yaml first, so that a reader can identify the chart early, and sorts the rest by name.
func (c *chart) order() []string {
	names := []string{"Chart.yaml"}
	for name := range c.files {
		if name != "Chart.yaml" {
			names = append(names, name)
		}
	}
	slices.Sort(names[1:])
	return names
}

// readChart reads a chart's folder, except what its .helmignore matches.
func readChart(folder string) (*chart, error) {
	patterns, err := ignorePatterns(filepath.Join(folder, ".helmignore"))
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	err = filepath.WalkDir(folder, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || file == folder {
			return err
		}
		name, err := filepath.Rel(folder, file)
		if err != nil {
			return err
		}
		if ignored(patterns, filepath.ToSlash(name), entry.IsDir()) {
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		files[filepath.ToSlash(name)], err = os.ReadFile(file)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the chart %s: %w", folder, err)
	}
	return newChart(files)
}

func ignorePatterns(file string) ([]string, error) {
	raw, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var patterns []string
	lines := bufio.NewScanner(bytes.NewReader(raw))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if strings.HasPrefix(line, "!") {
			return nil, fmt.Errorf("%s: %q: negated patterns are not supported", file, line)
		}
		patterns = append(patterns, line)
	}
	return patterns, lines.Err()
}

// ignored reports whether a .helmignore pattern matches. It matches the whole path if it has a slash, else the base
// name.
func ignored(patterns []string, name string, folder bool) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		if strings.HasSuffix(pattern, "/") && !folder {
			return false
		}
		pattern = strings.TrimSuffix(pattern, "/")
		subject := path.Base(name)
		if strings.Contains(pattern, "/") {
			pattern, subject = strings.TrimPrefix(pattern, "/"), name
		}
		matched, _ := path.Match(pattern, subject)
		return matched
	})
}
