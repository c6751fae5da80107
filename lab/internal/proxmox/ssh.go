package proxmox

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"log"
	"net"

	"github.com/gliderlabs/ssh"

	"hearth.dev/lab/internal/hostkey"
)

// startSSH starts the hosts' SSH servers, which end with ctx. Their shell is host.run.
func (c *cluster) startSSH(ctx context.Context) error {
	if len(c.lab.Proxmox.SSH) == 0 {
		return nil
	}
	key, err := hostkey.Open(c.lab.Path("proxmox", "ssh_host_key"))
	if err != nil {
		return fmt.Errorf("the hosts' SSH key: %w", err)
	}
	for node, address := range c.lab.Proxmox.SSH {
		if !c.isNode(node) {
			return fmt.Errorf("proxmox.ssh: there is no node %q", node)
		}
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return fmt.Errorf("listening on %s: %w; stop what uses it, or change proxmox.ssh", address, err)
		}
		server := &ssh.Server{
			Handler: func(s ssh.Session) { host{c, node}.serve(s) }, PasswordHandler: c.permitsRoot,
			PtyCallback: func(ssh.Context, ssh.Pty) bool { return false }, HostSigners: []ssh.Signer{key}, Version: "OpenSSH_10.0",
		}
		context.AfterFunc(ctx, func() { server.Close() })
		go func() {
			if err := server.Serve(listener); !errors.Is(err, ssh.ErrServerClosed) {
				log.Printf("SSH server of %s: %v", node, err)
			}
		}()
	}
	return nil
}

// permitsRoot admits root with the password that it also has for the API: both are PAM's.
func (c *cluster) permitsRoot(ctx ssh.Context, password string) bool {
	want := c.lab.Proxmox.Password
	return ctx.User() == "root" && want != "" && subtle.ConstantTimeCompare([]byte(password), []byte(want)) == 1
}

func (h host) serve(session ssh.Session) {
	output, err := h.run(session.RawCommand())
	fmt.Fprint(session, output)
	if err != nil {
		log.Printf("ssh root@%s: %v", h.node, err)
		fmt.Fprintln(session.Stderr(), err)
		_ = session.Exit(255)
		return
	}
	_ = session.Exit(0)
}
