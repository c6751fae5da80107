package pods

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

func TestTemporaryFilesAreInMemoryUntilTheLabEnds(t *testing.T) {
	parent := t.TempDir()
	first := newTemporary(parent, "/labs/dev", 1)
	left := first.folder("1", "")
	if err := os.MkdirAll(left, 0o700); err != nil {
		t.Fatal(err)
	}
	other := newTemporary(parent, "/labs/prod", 1).folder("1", "")
	if filepath.Dir(other) == filepath.Dir(left) {
		t.Errorf("two labs have the same folder %s", other)
	}
	second := newTemporary(parent, "/labs/dev", 1)
	if _, err := os.Lstat(left); !os.IsNotExist(err) {
		t.Errorf("what an earlier runner left is not deleted: %v", err)
	}
	if again := second.folder("1", ""); again != left {
		t.Errorf("the folder is %s, and was %s", again, left)
	}
	if err := second.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(filepath.Dir(left)); !os.IsNotExist(err) {
		t.Errorf("its folder is not deleted: %v", err)
	}
}

func TestTemporaryFilesAreOnTheDiskWhereMemoryHasNoPlaceForThem(t *testing.T) {
	parent := t.TempDir()
	taken := newTemporary(parent, "/labs/dev", 1)
	if err := taken.close(); err != nil {
		t.Fatal(err)
	}
	theirs := t.TempDir()
	kept := filepath.Join(theirs, "kept")
	if err := os.WriteFile(kept, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(theirs, taken.root); err != nil {
		t.Fatal(err)
	}
	if folder := newTemporary(parent, "/labs/dev", 1).folder("1", "/disk"); folder != "/disk" {
		t.Errorf("the folder is %s", folder)
	}
	if _, err := os.Lstat(kept); err != nil {
		t.Error(err)
	}
	if folder := newTemporary(t.TempDir(), "/labs/dev", math.MaxUint64).folder("1", "/disk"); folder != "/disk" {
		t.Errorf("where there is no room, the folder is %s", folder)
	}
	if folder := newTemporary(filepath.Join(parent, "missing"), "/labs/dev", 1).folder("1", "/disk"); folder != "/disk" {
		t.Errorf("where there is no memory, the folder is %s", folder)
	}
}
