package gitserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"hearth.dev/lab/internal/atomicfile"
	"hearth.dev/lab/internal/child"
	"hearth.dev/lab/internal/labconfig"
)

// defaultBranch is the branch that clients see if the configuration names none.
const defaultBranch = "main"

// mirror is a bare repository without objects of its own: it borrows the checkout's. Its only branch points at the
// checkout's HEAD, whether that is a branch, detached or in a linked worktree.
type mirror struct {
	program  string
	checkout string
	path     string
	branch   string
	mu       sync.Mutex
}

// newMirror creates the mirror and replaces an earlier one, which holds nothing to keep.
func newMirror(ctx context.Context, lab *labconfig.Lab) (*mirror, error) {
	program, err := exec.LookPath("git")
	if err != nil {
		return nil, errors.New("git is not on PATH; install Git 2.31 or later")
	}
	m := &mirror{program: program, checkout: lab.Repository, path: lab.Path("git", "repo.git"), branch: lab.Git.Branch}
	if m.branch == "" {
		m.branch = defaultBranch
	}
	if err := os.RemoveAll(m.path); err != nil {
		return nil, err
	}
	_, err = m.output(ctx, "init", "--quiet", "--bare", "--template=", "--initial-branch="+m.branch, m.path)
	if err != nil {
		return nil, err
	}
	return m, os.MkdirAll(filepath.Join(m.path, "objects", "info"), 0o700)
}

// update points the mirror's branch at the checkout's HEAD and returns that commit.
func (m *mirror) update(ctx context.Context) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	facts, err := m.output(ctx, "-C", m.checkout, "rev-parse", "--path-format=absolute",
		"--git-path", "objects", "--git-path", "shallow", "HEAD^{commit}")
	if err != nil {
		return "", fmt.Errorf("%s has no commit to serve: %w", m.checkout, err)
	}
	lines := strings.Split(facts, "\n")
	if len(lines) != 3 {
		return "", fmt.Errorf("%s has no commit to serve: git answered %q", m.checkout, facts)
	}
	objects, shallow, head := lines[0], lines[1], lines[2]
	if err := replace(filepath.Join(m.path, "objects", "info", "alternates"), []byte(objects+"\n")); err != nil {
		return "", err
	}
	// In a shallow clone, as in CI, this file says where the history ends.
	ends, err := os.ReadFile(shallow)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if err := replace(filepath.Join(m.path, "shallow"), ends); err != nil {
		return "", err
	}
	_, err = m.output(ctx, "--git-dir", m.path, "update-ref", "refs/heads/"+m.branch, head)
	return head, err
}

// replace writes data to the file if its content differs. Without data it removes the file.
func replace(path string, data []byte) error {
	old, err := os.ReadFile(path)
	switch {
	case len(data) == 0:
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	case err == nil && bytes.Equal(old, data):
		return nil
	}
	return atomicfile.Write(path, data, 0o600)
}

// git is a git command with its own environment, so that neither a person's settings nor a hook can change its
// behaviour.
func (m *mirror) git(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, m.program, args...)
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "GIT_") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	settings := []string{
		// In a container, the checkout may belong to another user.
		"safe.directory", "*",
		// Git hosts allow clients to ask for any commit and for partial clones.
		"uploadpack.allowAnySHA1InWant", "true",
		"uploadpack.allowFilter", "true",
	}
	cmd.Env = append(cmd.Env, "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull, "LC_ALL=C",
		fmt.Sprintf("GIT_CONFIG_COUNT=%d", len(settings)/2))
	for i := 0; i < len(settings); i += 2 {
		cmd.Env = append(cmd.Env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i/2, settings[i]),
			fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i/2, settings[i+1]))
	}
	return cmd
}

// output runs git and returns its output. The error is the last line of stderr.
func (m *mirror) output(ctx context.Context, args ...string) (string, error) {
	cmd := m.git(ctx, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := child.Run(cmd); err != nil {
		first, _, _ := strings.Cut(strings.TrimSpace(stderr.String()), "\n")
		return "", fmt.Errorf("git: %s (%w)", first, err)
	}
	return strings.TrimSpace(stdout.String()), nil
}
