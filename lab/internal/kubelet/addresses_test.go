package kubelet

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/siderolabs/talos/pkg/machinery/config/configloader"
)

const machineWithLinks = `version: v1alpha1
machine:
  type: worker
  kubelet:
    nodeIP: { validSubnets: [%s] }
cluster: {}
---
apiVersion: v1alpha1
kind: LinkConfig
name: net0
addresses: [{ address: 127.30.0.11/24 }, { address: "fd00:10:40::11/64" }, { address: "fd00:10:30::11/64" }]
`

func TestKubeletReportsOneAddressOfEachFamily(t *testing.T) {
	for subnets, expected := range map[string][]string{
		`127.30.0.0/24, "fd00:10:30::/64"`: {"127.30.0.11", "fd00:10:30::11", "worker"},
		`127.30.0.0/24`:                    {"127.30.0.11", "worker"},
	} {
		config, err := configloader.NewFromBytes([]byte(fmt.Sprintf(machineWithLinks, subnets)))
		if err != nil {
			t.Fatal(err)
		}
		actual := []string{}
		for _, address := range addresses(Node{Config: config, Name: "worker", Address: netip.MustParseAddr("127.30.0.11")}) {
			actual = append(actual, address.Address)
		}
		if !slices.Equal(actual, expected) {
			t.Errorf("in %s it reports %q, not %q", subnets, actual, expected)
		}
	}
}
