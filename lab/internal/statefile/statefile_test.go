package statefile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type state struct{ Names []string }

func TestReadsWhatWasWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "folder", "state.json")
	if err := Write(path, state{Names: []string{"a", "b"}}); err != nil {
		t.Fatal(err)
	}
	var got state
	if err := Read(path, &got, ""); err != nil || len(got.Names) != 2 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestLeavesTheStateAsItIsWithoutAFile(t *testing.T) {
	got := state{Names: []string{"first"}}
	if err := Read(filepath.Join(t.TempDir(), "state.json"), &got, ""); err != nil || len(got.Names) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestNamesADamagedFileAndWhatToDo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	if err := os.WriteFile(path, []byte(`{"Names":`), 0o600); err != nil {
		t.Fatal(err)
	}
	err := Read(path, &state{}, "run reset")
	if err == nil || !strings.HasPrefix(err.Error(), path+" is damaged: ") || !strings.HasSuffix(err.Error(), "; run reset") {
		t.Errorf("got %v", err)
	}
}

func TestKeepsTheOldFileWhereTheNewOneCannotBeEncoded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	if err := Write(path, state{Names: []string{"old"}}); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, map[string]any{"wrong": func() {}}); err == nil {
		t.Error("wrote what cannot be encoded")
	}
	var got state
	if err := Read(path, &got, ""); err != nil || len(got.Names) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestIsReadableByNobodyElse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	if err := Write(path, state{}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v", info.Mode(), err)
	}
}
