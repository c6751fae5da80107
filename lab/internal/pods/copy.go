package pods

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// copyFolder copies a folder with its content, modes, symbolic links and times. It skips files that disappear during
// the copy, because processes may be using the folder.
func copyFolder(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	for _, entry := range entries {
		err := copyEntry(filepath.Join(from, entry.Name()), filepath.Join(to, entry.Name()), entry.Type())
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return copyAttributes(to, info)
}

func copyEntry(from, to string, kind fs.FileMode) error {
	switch kind {
	case fs.ModeDir:
		return copyFolder(from, to)
	case fs.ModeSymlink:
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(target, to)
	case 0:
		return copyFile(from, to)
	}
	// Sockets and pipes hold no data.
	return nil
}

func copyFile(from, to string) (err error) {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return err
	}
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	if err := errors.Join(err, target.Close()); err != nil {
		return err
	}
	return copyAttributes(to, info)
}

// copyAttributes gives a copy the mode and times of the original.
func copyAttributes(path string, info fs.FileInfo) error {
	const special = fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky
	if err := os.Chmod(path, info.Mode()&(fs.ModePerm|special)); err != nil {
		return err
	}
	return os.Chtimes(path, info.ModTime(), info.ModTime())
}
