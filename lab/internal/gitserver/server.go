// Package gitserver serves the checkout's HEAD over SSH as a Git host does: read-only, to clients whose deploy key is
// registered.
//
// Clients log in as `git`, with a key that is listed in <dir>/git/authorized_keys at that moment. Without that file
// nobody can log in. The server's own key is in <dir>/git/host_key, and its line for known_hosts in
// <dir>/git/known_hosts. Every path that ends in .git is the same repository.
package gitserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/gliderlabs/ssh"
	gossh "golang.org/x/crypto/ssh"

	"hearth.dev/lab/internal/child"
	"hearth.dev/lab/internal/labconfig"
)

// user is the user name of Git hosts.
const user = "git"

// inactivity is how long a client may be silent during a transfer, in seconds.
const inactivity = 300

// protocols matches the environment with which clients ask for a version of Git's wire protocol.
var protocols = regexp.MustCompile(`^GIT_PROTOCOL=version=[012]$`)

type server struct {
	dir    string
	mirror *mirror
}

// Serve runs the Git server of a lab until ctx ends.
func Serve(ctx context.Context, lab *labconfig.Lab) error {
	dir := lab.Path("git")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	hostKey, err := openHostKey(dir, lab.Git.Address)
	if err != nil {
		return err
	}
	mirror, err := newMirror(ctx, lab)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp4", lab.Git.Address)
	if err != nil {
		return err
	}
	s := &server{dir, mirror}
	daemon := &ssh.Server{
		Handler:          s.session,
		PublicKeyHandler: s.authorize,
		PtyCallback:      func(ssh.Context, ssh.Pty) bool { return false },
		HostSigners:      []ssh.Signer{hostKey},
		Version:          "hearth-lab",
	}
	defer context.AfterFunc(ctx, func() { daemon.Close() })()
	log.Printf("serving the HEAD of %s as branch %s at ssh://%s@%s", lab.Repository, mirror.branch, user, lab.Git.Address)
	if err := daemon.Serve(listener); !errors.Is(err, ssh.ErrServerClosed) {
		return err
	}
	return nil
}

func (s *server) authorize(ctx ssh.Context, key ssh.PublicKey) bool {
	allowed := ctx.User() == user && authorized(s.dir, key)
	if !allowed {
		log.Printf("refused %s with key %s", ctx.User(), gossh.FingerprintSHA256(key))
	}
	return allowed
}

// session serves one command. It refuses in the words of Git hosts.
func (s *server) session(session ssh.Session) {
	command := session.Command()
	switch {
	case len(command) == 0:
		refuse(session, "You've successfully authenticated, but the lab does not provide shell access.")
	case command[0] == "git-receive-pack":
		refuse(session, "ERROR: The key you are authenticating with has been marked as read only.")
	case command[0] != "git-upload-pack" || len(command) != 2:
		refuse(session, fmt.Sprintf("Invalid command: %q", session.RawCommand()))
	case !strings.HasSuffix(command[1], ".git"):
		refuse(session, "ERROR: Repository not found.")
	default:
		s.uploadPack(session)
	}
}

func refuse(session ssh.Session, reason string) {
	log.Printf("refused %q: %s", session.RawCommand(), reason)
	fmt.Fprintf(session.Stderr(), "%s\n", reason)
	_ = session.Exit(1)
}

// uploadPack updates the mirror and lets git serve it.
func (s *server) uploadPack(session ssh.Session) {
	head, err := s.mirror.update(session.Context())
	if err != nil {
		log.Print(err)
		fmt.Fprintf(session.Stderr(), "ERROR: %v\n", err)
		_ = session.Exit(128)
		return
	}
	cmd := s.mirror.git(session.Context(), "upload-pack", "--strict", fmt.Sprintf("--timeout=%d", inactivity), s.mirror.path)
	for _, variable := range session.Environ() {
		if protocols.MatchString(variable) {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	cmd.Stdout, cmd.Stderr = session, session.Stderr()
	cmd.WaitDelay = 5 * time.Second
	// A pipe instead of cmd.Stdin, because git may end before the client stops sending.
	stdin, err := cmd.StdinPipe()
	if err == nil {
		err = child.Begin(cmd)
	}
	if err != nil {
		log.Printf("starting git upload-pack: %v", err)
		_ = session.Exit(128)
		return
	}
	go func() {
		_, _ = io.Copy(stdin, session)
		stdin.Close()
	}()
	err = cmd.Wait()
	if session.Context().Err() != nil {
		// Clients hang up as soon as they know enough, for example if there is nothing new.
		err = nil
	}
	log.Printf("served %s to %s: %s", head, session.RemoteAddr(), ended(err))
	_ = session.Exit(exitCode(err))
}

func ended(err error) string {
	if err == nil {
		return "done"
	}
	return err.Error()
}

func exitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		return exit.ExitCode()
	}
	return 128
}
