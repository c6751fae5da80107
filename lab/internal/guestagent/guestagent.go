// Package guestagent is what the QEMU guest agent of a machine tells its host: a file in the machine's folder, which stands for
// the agent's serial port.
package guestagent

import (
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"

	"hearth.dev/lab/internal/statefile"
)

// Extension is the system extension that holds the agent.
const Extension = "siderolabs/qemu-guest-agent"

// Interface is a network interface of the guest.
type Interface struct {
	Name string `json:"name"`
	// MAC is the hardware address. Empty for an interface without one.
	MAC string `json:"mac,omitempty"`
	// Addresses are the addresses with their prefix lengths.
	Addresses []string `json:"addresses,omitempty"`
}

// report is the content of the file.
type report struct {
	Interfaces []Interface `json:"interfaces"`
}

// virtual are the interfaces that Linux has on a Talos machine before that of its network card, with the drivers that are part of
// Talos's kernel. Source: siderolabs/pkgs, kernel/build/config-amd64 (BONDING, DUMMY, NET_SCH_TEQL, NET_IPIP, IPV6_SIT, IPV6_TUNNEL).
// That the card's index is 7, peers rely on: bbtechsys/terraform-proxmox-talos, main.tf.
var virtual = []Interface{
	{Name: "lo", MAC: "00:00:00:00:00:00", Addresses: []string{"127.0.0.1/8", "::1/128"}},
	{Name: "bond0"}, {Name: "dummy0"}, {Name: "teql0"}, {Name: "tunl0"}, {Name: "sit0"}, {Name: "ip6tnl0"},
}

func file(folder string) string { return filepath.Join(folder, "guest-agent.json") }

// Advertised returns the IPv6 address that Linux makes of a hardware address and the prefix that the lab's router advertises. Clients
// that look for a machine's address pass over loopback addresses, as its IPv4 address is one in the lab. Nothing listens at it.
func Advertised(mac string) string {
	hardware, err := net.ParseMAC(mac)
	if err != nil || len(hardware) != 6 {
		return ""
	}
	address := [16]byte{0: 0xfd, 1: 0x1a, 2: 0xb0}
	copy(address[8:], []byte{hardware[0] ^ 2, hardware[1], hardware[2], 0xff, 0xfe, hardware[3], hardware[4], hardware[5]})
	return netip.PrefixFrom(netip.AddrFrom16(address), 64).String()
}

// Start makes the agent of the machine in folder answer, with the machine's network card.
func Start(folder string, card Interface) error {
	return statefile.Write(file(folder), report{append(append([]Interface{}, virtual...), card)})
}

// Stop makes the agent of the machine in folder silent.
func Stop(folder string) error {
	if err := os.Remove(file(folder)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Interfaces asks the agent of the machine in folder for the machine's interfaces, in the order of their indexes. It returns
// nothing if no agent runs.
func Interfaces(folder string) ([]Interface, error) {
	var told report
	err := statefile.Read(file(folder), &told, "restart the machine")
	return told.Interfaces, err
}
