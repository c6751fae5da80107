package talos

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"hearth.dev/lab/internal/factory"
	"hearth.dev/lab/internal/guestagent"
	"hearth.dev/lab/internal/labconfig"
)

const agentSchematic = "ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515"

// TestTheGuestAgentRunsInMaintenanceMode shows that the image decides, not the configuration.
func TestTheGuestAgentRunsInMaintenanceMode(t *testing.T) {
	for schematic, names := range map[string]string{
		agentSchematic: "lo bond0 dummy0 teql0 tunl0 sit0 ip6tnl0 eth0", plainSchematic: "",
	} {
		lab := &labconfig.Lab{Dir: t.TempDir()}
		response := httptest.NewRecorder()
		factory.Open(lab).ServeHTTP(response, httptest.NewRequest(http.MethodPost, "/schematics",
			strings.NewReader("customization: {systemExtensions: {officialExtensions: [siderolabs/qemu-guest-agent]}}")))
		if response.Code != http.StatusCreated {
			t.Fatal(response.Body)
		}
		m, err := New(lab, labconfig.Machine{
			Name: "cp01", Address: own, MAC: "bc:24:11:00:00:10", Platform: "nocloud", Cores: 2, MemoryMiB: 4096,
			Disks: []labconfig.Disk{{Device: "/dev/sda", SizeGiB: 20}}, Image: labconfig.Image{Version: "v1.13.9", Schematic: schematic},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- m.Run(ctx) }()
		eventually(t, "maintenance mode", func() bool { return accepts(own) })
		told, err := guestagent.Interfaces(lab.Path("machines", "cp01"))
		var got []string
		for _, each := range told {
			got = append(got, each.Name)
		}
		if err != nil || strings.Join(got, " ") != names {
			t.Errorf("schematic %s: the agent tells %v, %v", schematic, told, err)
		}
		if len(told) > 0 && strings.Join(told[len(told)-1].Addresses, " ") != own+"/24 fd1a:b000::be24:11ff:fe00:10/64" {
			t.Errorf("the card has %+v", told[len(told)-1])
		}
		stop()
		<-ended
		if told, err := guestagent.Interfaces(lab.Path("machines", "cp01")); err != nil || told != nil {
			t.Errorf("the agent of a machine that is off tells %v, %v", told, err)
		}
	}
}
