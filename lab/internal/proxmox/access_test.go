package proxmox

import (
	"testing"

	"hearth.dev/lab/internal/labconfig"
)

// A download reaches the host's network, so Proxmox wants Sys.Audit and Sys.Modify on /, or Sys.AccessNetwork on the host.
func TestDownloadsNeedOneOfTwoAccesses(t *testing.T) {
	cases := map[string]struct {
		privileges []string
		want       string
	}{
		"Sys.AccessNetwork":        {[]string{"Sys.AccessNetwork"}, ""},
		"Sys.Audit and Sys.Modify": {[]string{"Sys.Audit", "Sys.Modify"}, ""},
		"Sys.Modify alone":         {[]string{"Sys.Modify"}, "Permission check failed"},
		"Sys.Audit alone":          {[]string{"Sys.Audit"}, "Permission check failed"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			lab := &labconfig.Lab{}
			lab.Proxmox.Privileges = test.privileges
			call := &call{cluster: &cluster{lab: lab}, params: map[string]string{"node": "pve1"}}
			got := ""
			if err := call.permitAccess(downloads); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
