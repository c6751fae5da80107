package proxmox

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hearth.dev/lab/internal/labconfig"
)

// refusals are requests that Proxmox refuses for one reason, with the source of its answer.
type refusals struct {
	Source   string    `json:"source"`
	Requests []refusal `json:"requests"`
}

// refusal is a request and its answer. Reason is the HTTP reason phrase. If empty, it is the usual one for invalid
// parameters.
type refusal struct {
	Method string            `json:"method"`
	Path   string            `json:"path"`
	Params map[string]string `json:"params"`
	Status int               `json:"status"`
	Reason string            `json:"reason"`
	Errors map[string]string `json:"errors"`
}

const testToken = "hearth@pve!test=00000000-0000-0000-0000-000000000000"

// testCluster has a stopped machine, VM 100 on pve1, and a locked one, VM 101.
func testCluster(t *testing.T) (*cluster, *httptest.Server) {
	t.Helper()
	c, err := open(&labconfig.Lab{Dir: t.TempDir(), Proxmox: labconfig.Proxmox{
		Token: testToken, Nodes: []string{"pve1", "pve2"}, Bridges: []string{"vmbr0"}, CPUs: 8, MemoryMiB: 16384,
		Datastores: map[string][]string{"local": {"iso", "import", "snippets"}, "local-lvm": {"images", "rootdir"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	c.state.VMs[100] = &vm{ID: 100, Node: "pve1", Machine: "a", Config: map[string]string{
		"scsi0": "local-lvm:vm-100-disk-0,size=10G", "ide2": "none,media=cdrom", "memory": "2048",
	}}
	c.state.VMs[101] = &vm{ID: 101, Node: "pve1", Machine: "b", Locked: "backup", Config: map[string]string{"memory": "2048"}}
	c.state.Volumes[volumeKey("pve1", "local-lvm:vm-100-disk-0")] = &volume{
		Node: "pve1", ID: "local-lvm:vm-100-disk-0", Content: "images", Format: "raw", Size: 10 << 30, VMID: 100,
	}
	c.state.Pools["full"] = &pool{VMs: []int{100}}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	return c, server
}

func (r refusal) ask(t *testing.T, address string) (status int, reason string, body map[string]any) {
	t.Helper()
	values := url.Values{}
	for name, value := range r.Params {
		values.Set(name, value)
	}
	target, content := address+basePath+r.Path, ""
	if r.Method == http.MethodPost || r.Method == http.MethodPut {
		content = values.Encode()
	} else if len(values) > 0 {
		target += "?" + values.Encode()
	}
	request, err := http.NewRequest(r.Method, target, strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "PVEAPIToken="+testToken)
	if content != "" {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, _ := io.ReadAll(response.Body)
	if err := json.Unmarshal(raw, &body); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	_, reason, _ = strings.Cut(response.Status, " ")
	return response.StatusCode, reason, body
}

func TestRefusesInTheWordsOfProxmox(t *testing.T) {
	c, server := testCluster(t)
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tables: %v", err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var groups []refusals
		if err := json.Unmarshal(raw, &groups); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, group := range groups {
			if group.Source == "" {
				t.Errorf("%s: a group has no source", file)
			}
			for _, one := range group.Requests {
				t.Run(one.name(), func(t *testing.T) { one.check(t, c, server.URL) })
			}
		}
	}
}

func (r refusal) name() string {
	params, _ := json.Marshal(r.Params)
	name := r.Method + " " + r.Path + " " + string(params)
	return name[:min(len(name), 120)]
}

// check also checks that a refused request changes nothing: all of them use the same cluster.
func (r refusal) check(t *testing.T, c *cluster, address string) {
	machines := len(c.state.VMs)
	wantStatus, wantReason := r.Status, r.Reason
	if wantReason == "" {
		wantStatus, wantReason = http.StatusBadRequest, "Parameter verification failed."
	}
	status, reason, body := r.ask(t, address)
	if status != wantStatus || reason != wantReason {
		t.Errorf("answers %d %q, not %d %q", status, reason, wantStatus, wantReason)
	}
	if data, there := body["data"]; !there || data != nil || body["message"] != wantReason+"\n" {
		t.Errorf("the body has data %v and message %q", data, body["message"])
	}
	got := map[string]string{}
	if errors, ok := body["errors"].(map[string]any); ok {
		for name, problem := range errors {
			got[name], _ = problem.(string)
		}
	}
	if !maps.Equal(got, r.Errors) {
		t.Errorf("names %q\nnot   %q", got, r.Errors)
	}
	if len(c.state.VMs) != machines {
		t.Error("changed something")
	}
}
