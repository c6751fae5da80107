package proxmox

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const testPassword = "correct horse & staple"

type signedIn struct {
	Data struct{ Username, Ticket, CSRFPreventionToken string }
}

func signInAs(t *testing.T, address, user, password string) (int, signedIn) {
	t.Helper()
	answer, err := http.PostForm(address+"/api2/json/access/ticket", url.Values{"username": {user}, "password": {password}})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var got signedIn
	body, _ := io.ReadAll(answer.Body)
	_ = json.Unmarshal(body, &got)
	return answer.StatusCode, got
}

// TestRootSignsIn shows that root alone signs in, by its password, and may then do what no token may.
func TestRootSignsIn(t *testing.T) {
	c, server := testCluster(t)
	if status, _ := signInAs(t, server.URL, rootUser, ""); status != http.StatusBadRequest && status != http.StatusUnauthorized {
		t.Errorf("without a password: %d", status)
	}
	if status, _ := signInAs(t, server.URL, rootUser, testPassword); status != http.StatusUnauthorized {
		t.Errorf("before root has a password: %d", status)
	}
	c.lab.Proxmox.Password = testPassword
	c.lab.Proxmox.Privileges = []string{"VM.Audit"}
	for user, password := range map[string]string{rootUser: "other", "hearth@pve": testPassword} {
		if status, _ := signInAs(t, server.URL, user, password); status != http.StatusUnauthorized {
			t.Errorf("%s with %s: %d", user, password, status)
		}
	}
	status, root := signInAs(t, server.URL, rootUser, testPassword)
	if status != http.StatusOK || root.Data.Username != rootUser {
		t.Fatalf("root: %d %+v", status, root)
	}
	ask := func(method, path, ticket, csrf string) int {
		var body io.Reader
		if method != http.MethodGet {
			body = strings.NewReader("memory=4096")
		}
		request, _ := http.NewRequest(method, server.URL+"/api2/json"+path, body)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.AddCookie(&http.Cookie{Name: "PVEAuthCookie", Value: ticket})
		request.Header.Set("CSRFPreventionToken", csrf)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	ticket, csrf := root.Data.Ticket, root.Data.CSRFPreventionToken
	const config = "/nodes/pve1/qemu/100/config"
	for _, each := range []struct {
		what, method, path, ticket, csrf string
		want                             int
	}{
		{"reads", "GET", "/version", ticket, "", http.StatusOK},
		{"changes what the token may not", "PUT", config, ticket, csrf, http.StatusOK},
		{"changes nothing for a page of somebody else", "PUT", config, ticket, "", http.StatusUnauthorized},
		{"has no other ticket", "GET", "/version", strings.Replace(ticket, rootUser, "you@pam", 1), "", http.StatusUnauthorized},
		{"has no forged ticket", "GET", "/version", "PVE:" + rootUser + ":7FFFFFFF::Zm9yZ2Vk", "", http.StatusUnauthorized},
	} {
		if got := ask(each.method, each.path, each.ticket, each.csrf); got != each.want {
			t.Errorf("root %s: %d, want %d", each.what, got, each.want)
		}
	}
}
