package talos

import (
	"context"
	"crypto/tls"
	"net"
	"testing"
	"time"

	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"github.com/siderolabs/talos/pkg/machinery/client"

	"hearth.dev/lab/internal/labconfig"
)

const (
	own   = "127.94.1.11"
	lease = "127.94.1.157"
)

func accepts(address string) bool {
	connection, err := net.DialTimeout("tcp", net.JoinHostPort(address, "50000"), time.Second)
	if err != nil {
		return false
	}
	_ = connection.Close()
	return true
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(what + " did not come to be")
		}
	}
}

// leased is a machine in maintenance mode at the address that DHCP gave it.
func leased(t *testing.T) {
	t.Helper()
	m, err := New(&labconfig.Lab{Dir: t.TempDir()}, labconfig.Machine{
		Name: "cp01", Address: own, Lease: lease, Platform: "metal", Cores: 2, MemoryMiB: 4096,
		Disks: []labconfig.Disk{{Device: "/dev/sda", SizeGiB: 20}}, Image: labconfig.Image{Version: "v1.13.9"},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	eventually(t, "maintenance mode", func() bool { return accepts(lease) })
}

func apply(t *testing.T, address, configuration string) error {
	t.Helper()
	c, err := client.New(t.Context(), client.WithEndpoints(address), client.WithTLSConfig(&tls.Config{InsecureSkipVerify: true}))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = c.ApplyConfiguration(t.Context(), &machine.ApplyConfigurationRequest{
		Data: []byte(configuration), Mode: machine.ApplyConfigurationRequest_AUTO,
	})
	return err
}

const link = `apiVersion: v1alpha1
kind: LinkConfig
name: net0
up: true
addresses:
  - address: `

func TestAConfigurationOfTheNetworkAloneMovesAMachineInMaintenanceMode(t *testing.T) {
	leased(t)
	if accepts(own) {
		t.Fatal("it answers at its own address already")
	}
	if err := apply(t, lease, link+own+"/24\n"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "its own address", func() bool { return accepts(own) && !accepts(lease) })
	if err := apply(t, own, link+own+"/24\n"); err != nil {
		t.Errorf("it is no longer in maintenance mode: %v", err)
	}
}

func TestAConfigurationOfAnotherAddressMovesNoMachine(t *testing.T) {
	leased(t)
	if err := apply(t, lease, link+"127.94.1.12/24\n"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond)
	if !accepts(lease) || accepts(own) {
		t.Error("it moved")
	}
}
