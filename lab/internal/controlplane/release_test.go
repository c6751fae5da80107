package controlplane

import (
	"os"
	"path/filepath"
	"testing"
)

// reports writes a program that reports a release.
func reports(t *testing.T, release string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kube-scheduler")
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho Kubernetes "+release+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAProgramReportsThePatchReleaseOfItsImage(t *testing.T) {
	own, folder := reports(t, "v1.36.4"), t.TempDir()
	for range 2 {
		path, err := reporting(own, releaseOf("registry.k8s.io/kube-scheduler:v1.36.5@sha256:00"), folder)
		if err != nil || path != filepath.Join(folder, "kube-scheduler-v1.36.5") {
			t.Fatal(path, err)
		}
		if got, err := reportedBy(path); got != "v1.36.5" || err != nil {
			t.Errorf("it reports %s, %v", got, err)
		}
	}
	left, err := os.ReadDir(folder)
	if err != nil || len(left) != 1 {
		t.Errorf("the folder has %v, %v", left, err)
	}
}

func TestAProgramPretendsNoOtherRelease(t *testing.T) {
	own, folder := reports(t, "v1.36.4"), t.TempDir()
	for _, release := range []string{"v1.36.4", "v1.35.4", "v1.36.10", "latest", ""} {
		if path, err := reporting(own, release, folder); path != own || err != nil {
			t.Errorf("%q: %s, %v", release, path, err)
		}
	}
}

func TestACopyThatReportsSomethingElseIsNotUsed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kube-scheduler")
	// It computes its release, so that no text can be replaced.
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho Kubernetes v1.36.$((2 + 2))\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if got, err := reporting(path, "v1.36.5", folder); err == nil {
		t.Errorf("it uses %s", got)
	}
	if left, _ := os.ReadDir(folder); len(left) != 0 {
		t.Errorf("the folder has %v", left)
	}
}
