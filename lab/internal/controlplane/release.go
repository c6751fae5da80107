package controlplane

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// releases are the releases that programs report, by path.
var releases sync.Map

// reporting returns the path of a program that reports a release, in a folder for copies. The lab has one patch release of
// Kubernetes. Another of the same minor is a copy of the program in which the text of its release is replaced: that is quick,
// and works for built and downloaded programs. A release that the program cannot stand for, of another minor or of another
// length, is not pretended: the program itself runs and reports its own. See docs/decisions/0088.
func reporting(program, release, folder string) (string, error) {
	own, err := reportedBy(program)
	if err != nil || own == release || !standsFor(own, release) {
		return program, err
	}
	copied := filepath.Join(folder, filepath.Base(program)+"-"+release)
	if got, err := reportedBy(copied); err == nil && got == release {
		return copied, nil
	}
	content, err := os.ReadFile(program)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	// Several machines may do this at once.
	unfinished, err := os.CreateTemp(folder, filepath.Base(copied)+"-*")
	if err != nil {
		return "", err
	}
	defer os.Remove(unfinished.Name())
	_, err = unfinished.Write(bytes.ReplaceAll(content, []byte(own), []byte(release)))
	if err == nil {
		err = unfinished.Chmod(0o700)
	}
	if closing := unfinished.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return "", err
	}
	if got, err := reportedBy(unfinished.Name()); err != nil || got != release {
		return "", fmt.Errorf("a copy of %s reports %q (%v) and not %s", program, got, err, release)
	}
	releases.Delete(unfinished.Name())
	return copied, os.Rename(unfinished.Name(), copied)
}

// standsFor reports whether a program of one release can report another.
func standsFor(own, release string) bool {
	minor := func(text string) string { return text[:max(0, strings.LastIndex(text, "."))] }
	return len(own) == len(release) && minor(own) == minor(release) && minor(own) != ""
}

// reportedBy asks a program for its release, once.
func reportedBy(program string) (string, error) {
	if known, ok := releases.Load(program); ok {
		return known.(string), nil
	}
	output, err := exec.Command(program, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%s --version: %w", program, err)
	}
	fields := strings.Fields(string(output))
	if len(fields) == 0 {
		return "", fmt.Errorf("%s --version says nothing", program)
	}
	release := fields[len(fields)-1]
	releases.Store(program, release)
	return release, nil
}

// releaseOf is the tag of an image, without a digest.
func releaseOf(image string) string {
	image, _, _ = strings.Cut(image, "@")
	return image[strings.LastIndex(image, ":")+1:]
}
