package pods

import "testing"

func TestAPodListensAtItsAddressInTheLoopbackRange(t *testing.T) {
	if got, err := loopback("10.244.1.254"); err != nil || got != "127.244.1.254" {
		t.Errorf("got %s, %v", got, err)
	}
	for _, wrong := range []string{"", "fd00::1", "10.244.1"} {
		if _, err := loopback(wrong); err == nil {
			t.Errorf("%q is accepted", wrong)
		}
	}
}

func TestAddressesAreTakenDownwardsFromTheLastButOne(t *testing.T) {
	var asked []string
	got, err := freeAddress("10.244.1.0/29", func(address string) bool {
		asked = append(asked, address)
		return address == "10.244.1.4"
	})
	if err != nil || got != "10.244.1.4" {
		t.Errorf("got %s, %v", got, err)
	}
	if len(asked) != 3 || asked[0] != "10.244.1.6" {
		t.Errorf("asked for %v", asked)
	}
}

func TestAFullRangeNeverGivesItsOwnAddressOrItsBroadcast(t *testing.T) {
	seen := map[string]bool{}
	_, err := freeAddress("10.244.1.0/29", func(address string) bool { seen[address] = true; return false })
	if err == nil || err.Error() != "no free address in podCIDR 10.244.1.0/29" {
		t.Errorf("got %v", err)
	}
	if len(seen) != 6 || seen["10.244.1.0"] || seen["10.244.1.7"] {
		t.Errorf("asked for %v", seen)
	}
}

func TestARangeThatIsNoneIsNamed(t *testing.T) {
	for _, wrong := range []string{"", "10.244.1.0", "fd00::/64"} {
		if _, err := freeAddress(wrong, func(string) bool { return true }); err == nil {
			t.Errorf("%q is accepted", wrong)
		}
	}
}
