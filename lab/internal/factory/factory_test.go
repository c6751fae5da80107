package factory

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"hearth.dev/lab/internal/labconfig"
)

// guestAgent is the ID that the real factory gives to a schematic with the QEMU guest agent alone.
const guestAgent = "ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515"

const guestAgentDocument = "customization:\n    systemExtensions:\n        officialExtensions:\n            - siderolabs/qemu-guest-agent\n"

func testFactory(t *testing.T) (*Factory, *httptest.Server) {
	t.Helper()
	f := Open(&labconfig.Lab{Dir: t.TempDir()})
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return f, server
}

func ask(t *testing.T, method, url, body string) (int, string, http.Header) {
	t.Helper()
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(text), response.Header
}

func TestGivesTheRealFactorysIDs(t *testing.T) {
	for document, want := range map[string]string{
		"customization: {}": plain,
		"{}":                plain,
		guestAgentDocument:  guestAgent,
		"customization: {systemExtensions: {officialExtensions: [siderolabs/qemu-guest-agent]}}": guestAgent,
	} {
		if id, _, err := normalize([]byte(document)); err != nil || id != want {
			t.Errorf("%q: got %s, %v", document, id, err)
		}
	}
}

func TestKnowsASchematicOnceItWasPosted(t *testing.T) {
	f, server := testFactory(t)
	image := "/image/" + guestAgent + "/v1.13.9/nocloud-amd64.qcow2"
	if f.Knows(guestAgent) {
		t.Error("knows a schematic that nobody posted")
	}
	if status, text, _ := ask(t, "GET", server.URL+"/schematics/"+guestAgent, ""); status != 404 || text != "schematic not found\n" {
		t.Errorf("before: %d %q", status, text)
	}
	if status, _, _ := ask(t, "HEAD", server.URL+image, ""); status != 404 {
		t.Errorf("before: image %d", status)
	}
	status, text, header := ask(t, "POST", server.URL+"/schematics", "customization: {systemExtensions: {officialExtensions: [siderolabs/qemu-guest-agent]}}")
	var made struct{ ID, Schematic string }
	if err := json.Unmarshal([]byte(text), &made); err != nil || status != 201 || header.Get("Content-Type") != "application/json" {
		t.Fatalf("posting: %d %q", status, text)
	}
	if made.ID != guestAgent || made.Schematic != guestAgentDocument {
		t.Errorf("posting gives %+v", made)
	}
	if status, text, _ := ask(t, "GET", server.URL+"/schematics/"+guestAgent, ""); status != 200 || text != guestAgentDocument {
		t.Errorf("after: %d %q", status, text)
	}
	status, _, header = ask(t, "HEAD", server.URL+image, "")
	if status != 200 || header.Get("Content-Type") != "application/x-qemu-disk" || header.Get("Content-Length") == "" {
		t.Errorf("after: image %d %v", status, header)
	}
	if another := Open(&labconfig.Lab{Dir: strings.TrimSuffix(f.folder, "/factory")}); !another.Knows(guestAgent) {
		t.Error("another program of the lab does not know it")
	}
}

func TestPostingTwiceGivesTheSame(t *testing.T) {
	_, server := testFactory(t)
	_, first, _ := ask(t, "POST", server.URL+"/schematics", guestAgentDocument)
	status, second, _ := ask(t, "POST", server.URL+"/schematics", guestAgentDocument)
	if status != 201 || first != second {
		t.Errorf("%d %q, first %q", status, second, first)
	}
}

func TestKnowsTheExtensionsOfASchematic(t *testing.T) {
	f, server := testFactory(t)
	if all, err := f.Extensions(plain); err != nil || len(all) != 0 {
		t.Errorf("the plain one has %v, %v", all, err)
	}
	if _, err := f.Extensions(guestAgent); err == nil {
		t.Error("knows those of a schematic that nobody posted")
	}
	ask(t, "POST", server.URL+"/schematics", guestAgentDocument)
	if all, err := f.Extensions(guestAgent); err != nil || strings.Join(all, " ") != "siderolabs/qemu-guest-agent" {
		t.Errorf("got %v, %v", all, err)
	}
}

func TestRefusesWhatIsNoSchematic(t *testing.T) {
	_, server := testFactory(t)
	for document, want := range map[string]string{
		"customisation: {}":                   "field customisation not found",
		"customization: {extensions: [a]}":    "field extensions not found",
		"customization: [":                    "yaml:",
		"owner: me":                           "owner field is only supported in Enterprise edition",
		"customization: {meta: [{key: 300}]}": "cannot unmarshal",
		"":                                    "EOF",
	} {
		if status, text, _ := ask(t, "POST", server.URL+"/schematics", document); status != 400 || !strings.Contains(text, want) {
			t.Errorf("%q: %d %q", document, status, text)
		}
	}
}

// TestRefusesImagesInTheFactorysWords checks the order and words of siderolabs/image-factory 1.5.0:
// internal/frontend/http/image.go and http.go, internal/schematic/storage/registry/registry.go,
// internal/profile/profile.go.
func TestRefusesImagesInTheFactorysWords(t *testing.T) {
	f, _ := testFactory(t)
	for path, want := range map[string]struct {
		status int
		text   string
	}{
		"/image/" + guestAgent + "/v1.13.9/nocloud-amd64.qcow2": {404, `schematic ID "` + guestAgent + `" not found`},
		"/image/" + guestAgent + "/later/nothing":               {404, `schematic ID "` + guestAgent + `" not found`},
		"/image/abc/v1.13.9/nocloud-amd64.qcow2":                {404, `schematic ID "abc" not found`},
		"/image/" + plain + "/later/nocloud-amd64.qcow2":        {500, "internal server error"},
		"/image/" + plain + "/v1.13.9/nocloud-riscv64.qcow2":    {400, `error parsing profile from path: invalid profile path: "nocloud-riscv64.qcow2"`},
		"/images/" + plain: {404, "404 page not found"},
	} {
		if _, err := f.Asset(path); err == nil || Status(err) != want.status || err.Error() != want.text {
			t.Errorf("%s: %d %v", path, Status(err), err)
		}
	}
}

func TestHasInstallersOfKnownSchematicsOnly(t *testing.T) {
	f, _ := testFactory(t)
	image := Host + "/metal-installer/" + guestAgent + ":v1.13.9"
	want := `failed to pull image "` + image + `": failed to resolve reference "` + image + `": ` + image + ": not found"
	if err := f.Pull(image, guestAgent); err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	for _, schematic := range []string{"", plain} {
		if err := f.Pull(image, schematic); err != nil {
			t.Errorf("%q: %v", schematic, err)
		}
	}
}

func TestDescribesAnImage(t *testing.T) {
	f, _ := testFactory(t)
	a, err := f.Asset("/image/" + plain + "/v1.13.9/metal-amd64-secureboot.raw.xz")
	if err != nil || a.Platform != "metal" || !a.SecureBoot || a.Format != "raw.xz" || a.Version != "v1.13.9" || a.Schematic != plain {
		t.Fatalf("%+v, %v", a, err)
	}
	if format, fits := a.Unpacked("xz"); !fits || format != "raw" {
		t.Errorf("unpacks to %s, %v", format, fits)
	}
	again, _ := f.Asset("/image/" + plain + "/v1.13.9/metal-amd64-secureboot.raw.xz")
	if a.Checksum("sha256") != again.Checksum("sha256") || len(a.Checksum("sha512")) != 128 || a.Size != again.Size {
		t.Error("is another file each time")
	}
}

func TestListsReleasesAndTheirExtensions(t *testing.T) {
	_, server := testFactory(t)
	status, text, _ := ask(t, "GET", server.URL+"/versions", "")
	var versions []string
	if err := json.Unmarshal([]byte(text), &versions); err != nil || status != 200 || versions[0] != "v1.12.0" || !slices.Contains(versions, "v1.13.10") {
		t.Errorf("versions: %d %q", status, text)
	}
	for _, release := range []string{"v1.13.9", "1.12.0"} {
		var all []extensionInfo
		status, text, _ := ask(t, "GET", server.URL+"/version/"+release+"/extensions/official", "")
		if err := json.Unmarshal([]byte(text), &all); err != nil || status != 200 {
			t.Fatalf("%s: %d %q", release, status, text)
		}
		at := slices.IndexFunc(all, func(e extensionInfo) bool { return e.Name == "siderolabs/qemu-guest-agent" })
		if at < 0 || all[at].Ref != "ghcr.io/siderolabs/qemu-guest-agent:v"+strings.TrimPrefix(release, "v") || len(all[at].Digest) != 71 {
			t.Errorf("%s: %+v", release, all)
		}
	}
	for release, want := range map[string]string{"v1.13.99": "404 version 1.13.99 is not available\n", "latest": "500 internal server error\n"} {
		if status, text, _ := ask(t, "GET", server.URL+"/version/"+release+"/extensions/official", ""); fmt.Sprintf("%d %s", status, text) != want {
			t.Errorf("%s: %d %q", release, status, text)
		}
	}
}
