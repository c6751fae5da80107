package talos

import (
	"testing"

	"hearth.dev/lab/internal/labconfig"
)

func TestTalosIsInstalledWhereTheMediumIsTheDisk(t *testing.T) {
	for _, test := range []struct {
		platform, medium string
		want             bool
	}{
		{"nocloud", "", true}, {"nocloud", "disk", true}, {"nocloud", "cdrom", false},
		{"metal", "", false}, {"metal", "disk", true}, {"metal", "cdrom", false}, {"", "", false},
	} {
		m, err := New(&labconfig.Lab{Dir: t.TempDir()}, labconfig.Machine{
			Name: "cp01", Address: own, Platform: test.platform, Medium: test.medium,
			Disks: []labconfig.Disk{{Device: "/dev/vda", SizeGiB: 20}}, Image: labconfig.Image{Version: "v1.13.9"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := m.kept(); got.Installed != test.want || (got.SystemDisk == "/dev/vda") != test.want {
			t.Errorf("%q on %q: %+v", test.platform, test.medium, got)
		}
	}
}
