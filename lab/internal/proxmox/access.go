package proxmox

import (
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"
)

// privileges are the privileges of Proxmox VE 9 that the simulated endpoints require.
var privileges = []string{
	"Datastore.Allocate", "Datastore.AllocateSpace", "Datastore.AllocateTemplate", "Datastore.Audit",
	"Mapping.Audit", "Mapping.Modify", "Mapping.Use", "Pool.Allocate", "Pool.Audit", "SDN.Allocate", "SDN.Audit", "SDN.Use",
	"Sys.AccessNetwork", "Sys.Audit", "Sys.Console", "Sys.Incoming", "Sys.Modify", "Sys.PowerMgmt", "Sys.Syslog",
	"VM.Allocate", "VM.Audit", "VM.Backup", "VM.Clone", "VM.Config.CDROM", "VM.Config.CPU", "VM.Config.Cloudinit",
	"VM.Config.Disk", "VM.Config.HWType", "VM.Config.Memory", "VM.Config.Network", "VM.Config.Options", "VM.Console",
	"VM.GuestAgent.Audit", "VM.GuestAgent.FileRead", "VM.GuestAgent.FileSystemMgmt", "VM.GuestAgent.FileWrite",
	"VM.GuestAgent.Unrestricted", "VM.Migrate", "VM.PowerMgmt", "VM.Replicate", "VM.Snapshot", "VM.Snapshot.Rollback",
}

// authenticate returns who asks: the identity of the request's token, USER@REALM!ID, or the user of its ticket.
func (c *cluster) authenticate(r *http.Request) (string, error) {
	header := r.Header.Get("Authorization")
	given, ok := strings.CutPrefix(header, "PVEAPIToken=")
	if !ok {
		return c.tickets.authenticate(r)
	}
	id, secret, ok := cutLast(given, "=")
	if !ok {
		return "", unauthorized("no tokenid specified")
	}
	user, token, ok := strings.Cut(id, "!")
	if !ok || !strings.Contains(user, "@") {
		return "", unauthorized("token '" + id + "' has an invalid format")
	}
	wantID, wantSecret, _ := cutLast(c.lab.Proxmox.Token, "=")
	wantUser, _, _ := strings.Cut(wantID, "!")
	switch {
	case user != wantUser:
		return "", unauthorized("no such user ('" + user + "')")
	case id != wantID:
		return "", unauthorized("no such token '" + token + "' for user '" + user + "'")
	case subtle.ConstantTimeCompare([]byte(secret), []byte(wantSecret)) != 1:
		return "", unauthorized("invalid token value!")
	}
	return id, nil
}

func cutLast(s, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(s, separator); i >= 0 {
		return s[:i], s[i+len(separator):], true
	}
	return s, "", false
}

// on fills the parameters into an access path.
func (a access) on(params map[string]string) string {
	path := a.path
	for name, value := range params {
		path = strings.ReplaceAll(path, "{"+name+"}", value)
	}
	return path
}

// permitAccess checks an endpoint's access. Of alternatives, Proxmox does not say which failed.
// Source: libpve-access-control 9.1.1, PVE/RPCEnvironment.pm, exec_api2_perm_check.
func (c *call) permitAccess(a access) error {
	if a.or == nil {
		return c.permit(a.on(c.params), a.any, a.privileges...)
	}
	for _, alternative := range a.or {
		if c.permitAccess(alternative) == nil {
			return nil
		}
	}
	return &apiError{status: http.StatusForbidden, message: "Permission check failed"}
}

// permit checks that the caller's token has the privileges on path. With any, one of them is enough.
func (c *call) permit(path string, any bool, wanted ...string) error {
	held := c.lab.Proxmox.Privileges
	if len(held) == 0 || c.isRoot() {
		return nil
	}
	has := func(privilege string) bool { return slices.Contains(held, privilege) }
	if any {
		if slices.ContainsFunc(wanted, has) {
			return nil
		}
		return forbidden(path, strings.Join(wanted, "|"))
	}
	for _, privilege := range wanted {
		if !has(privilege) {
			return forbidden(path, privilege)
		}
	}
	return nil
}

// rootOnly refuses an option that only root may set. An API token is never root.
func rootOnly(option string) error { return fail("only root can set '%s' config", option) }

var accessEndpoints = []endpoint{
	{"POST", "/access/ticket", schema{
		"username": text().upTo(64).need(), "realm": text(), "password": text().need(), "otp": text(), "new-format": flag(), "tfa-challenge": text(),
	}, nil, createTicket},
	{"GET", "/access/permissions", schema{"path": text(), "userid": matching(`[^\s:/]+@[A-Za-z][A-Za-z0-9.\-_]+(?:![A-Za-z][A-Za-z0-9.\-_]+)?`)}, nil, listPermissions},
}

func listPermissions(c *call) (any, error) {
	held := c.lab.Proxmox.Privileges
	if len(held) == 0 || c.isRoot() {
		held = privileges
	}
	all := map[string]int{}
	for _, privilege := range held {
		all[privilege] = 1
	}
	if c.has("path") {
		return map[string]any{c.str("path"): all}, nil
	}
	return map[string]any{"/": all, "/nodes": all, "/pool": all, "/storage": all, "/vms": all, "/sdn": all, "/access": all}, nil
}
