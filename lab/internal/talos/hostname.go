package talos

import (
	"crypto/sha256"
	"math/big"
	"net/netip"
	"strings"

	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/nethelpers"
)

// hostname returns the configured host name, or the one that Talos generates.
func hostname(cfg config.Provider, address netip.Addr, nodeID string) string {
	if named := cfg.NetworkHostnameConfig(); named != nil {
		if name := named.Hostname(); name != "" {
			short, _, _ := strings.Cut(name, ".")
			return short
		}
		if named.AutoHostname() == nethelpers.AutoHostnameKindStable {
			return stableHostname(nodeID)
		}
	}
	return "talos-" + strings.ReplaceAll(address.String(), ".", "-")
}

// stableHostname depends only on the machine's identity.
func stableHostname(nodeID string) string {
	sum := sha256.Sum256([]byte(nodeID))
	text := "000000000000" + new(big.Int).SetBytes(sum[:8]).Text(36)
	return "talos-" + text[len(text)-6:len(text)-3] + "-" + text[len(text)-3:]
}

// vips are the shared addresses of the control planes.
func vips(cfg config.Provider) []netip.Addr {
	var all []netip.Addr
	for _, document := range cfg.NetworkVirtualIPConfigs() {
		all = append(all, document.VIP())
	}
	if cfg.Machine() == nil {
		return all
	}
	for _, device := range cfg.Machine().Network().Devices() {
		if vip := device.VIPConfig(); vip != nil {
			if address, err := netip.ParseAddr(vip.IP()); err == nil {
				all = append(all, address)
			}
		}
		for _, vlan := range device.Vlans() {
			if vip := vlan.VIPConfig(); vip != nil {
				if address, err := netip.ParseAddr(vip.IP()); err == nil {
					all = append(all, address)
				}
			}
		}
	}
	return all
}
