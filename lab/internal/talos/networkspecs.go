package talos

import (
	"net"
	"net/netip"

	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/constants"
	"github.com/siderolabs/talos/pkg/machinery/nethelpers"
	"github.com/siderolabs/talos/pkg/machinery/resources/network"
)

// publishNetworkSpecs publishes the network that the machine is to have, which is the one that it has. Without a configuration
// it comes from DHCP. Source: siderolabs/talos v1.13.9, internal/app/machined/pkg/controllers/network.
func (b *boot) publishNetworkSpecs(cfg config.Provider, name string) {
	layer := network.ConfigMachineConfiguration
	if cfg == nil {
		layer = network.ConfigOperator
	}
	here, gateway := netip.PrefixFrom(b.machine.address, 24), b.gateway()
	put(b, network.NewLinkSpec(network.NamespaceName, linkName), func(r *network.LinkSpec) {
		spec := r.TypedSpec()
		spec.Name, spec.Up, spec.Type, spec.MTU, spec.ConfigLayer = linkName, true, nethelpers.LinkEther, 1500, layer
	})
	put(b, network.NewAddressSpec(network.NamespaceName, network.AddressID(linkName, here)), func(r *network.AddressSpec) {
		spec := r.TypedSpec()
		spec.Address, spec.LinkName, spec.Family, spec.Scope, spec.ConfigLayer = here, linkName, nethelpers.FamilyInet4, nethelpers.ScopeGlobal, layer
	})
	put(b, network.NewRouteSpec(network.NamespaceName, "inet4/"+gateway.String()+"//1024"), func(r *network.RouteSpec) {
		spec := r.TypedSpec()
		spec.Family, spec.Gateway, spec.OutLinkName, spec.Priority = nethelpers.FamilyInet4, gateway, linkName, 1024
		spec.Table, spec.Scope, spec.Type = nethelpers.TableMain, nethelpers.ScopeGlobal, nethelpers.TypeUnicast
		spec.Protocol, spec.ConfigLayer = nethelpers.ProtocolStatic, layer
	})
	put(b, network.NewResolverSpec(network.NamespaceName, network.ResolverID), func(r *network.ResolverSpec) {
		r.TypedSpec().DNSServers, r.TypedSpec().ConfigLayer = []netip.Addr{gateway}, layer
	})
	put(b, network.NewTimeServerSpec(network.NamespaceName, network.TimeServerID), func(r *network.TimeServerSpec) {
		r.TypedSpec().NTPServers, r.TypedSpec().ConfigLayer = b.timeServers(), layer
	})
	if name != "" {
		put(b, network.NewHostnameSpec(network.NamespaceName, network.HostnameID), func(r *network.HostnameSpec) {
			r.TypedSpec().Hostname, r.TypedSpec().ConfigLayer = name, layer
		})
	}
	if mac, err := net.ParseMAC(b.machine.spec.MAC); err == nil {
		put(b, network.NewHardwareAddr(network.NamespaceName, network.FirstHardwareAddr), func(r *network.HardwareAddr) {
			r.TypedSpec().Name, r.TypedSpec().HardwareAddr = linkName, nethelpers.HardwareAddr(mac)
		})
	}
	put(b, network.NewEthernetStatus(network.NamespaceName, linkName), func(r *network.EthernetStatus) {
		isUp := true
		r.TypedSpec().LinkState, r.TypedSpec().Port, r.TypedSpec().Duplex = &isUp, nethelpers.Other, nethelpers.Unknown
	})
	b.publishHostDNS(cfg)
}

// publishHostDNS publishes the resolver that Talos runs on each machine.
func (b *boot) publishHostDNS(cfg config.Provider) {
	put(b, network.NewHostDNSConfig(network.HostDNSConfigID), func(r *network.HostDNSConfig) {
		spec := r.TypedSpec()
		*spec = network.HostDNSConfigSpec{ListenAddresses: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.53:53")}}
		if cfg == nil {
			return
		}
		settings := cfg.Machine().Features().HostDNS()
		spec.Enabled, spec.ResolveMemberNames = settings.Enabled(), settings.ResolveMemberNames()
		if settings.ForwardKubeDNSToHost() {
			spec.ServiceHostDNSAddress = netip.MustParseAddr(constants.HostDNSAddress)
			spec.ListenAddresses = append(spec.ListenAddresses, netip.AddrPortFrom(spec.ServiceHostDNSAddress, 53))
		}
	})
	sort := nethelpers.AddressSortAlgorithmV1
	if cfg != nil {
		sort = cfg.Machine().Features().NodeAddressSortAlgorithm()
	}
	put(b, network.NewNodeAddressSortAlgorithm(network.NamespaceName, network.NodeAddressSortAlgorithmID), func(r *network.NodeAddressSortAlgorithm) {
		r.TypedSpec().Algorithm = sort
	})
}
