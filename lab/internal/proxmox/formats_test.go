package proxmox

import "testing"

func TestFormatsAcceptAndRefuseWhatProxmoxDoes(t *testing.T) {
	for name, test := range map[string]struct {
		check        func(string) error
		right, wrong []string
	}{
		"configuration ID": {isConfigID, []string{"ab", "A-1_x"}, []string{"a", "1a", "a b", ""}},
		"node name":        {isNodeName, []string{"pve1", "a", "pve-1"}, []string{"-pve", "pve-", "pve_1", ""}},
		"storage ID":       {isStorageID, []string{"local", "local-lvm", "a.b"}, []string{"l", "1local", "local-", ""}},
		"bridge":           {isBridgeID, []string{"vmbr0", "br_1.2"}, []string{"", "vmbr 0", "br/0"}},
		"MAC":              {isMAC, []string{"BC:24:11:00:00:01", "02:00:00:00:00:00"}, []string{"01:00:5e:00:00:01", "BC-24-11-00-00-01", ""}},
		"DNS name":         {isDNSName, []string{"a", "a.b-c.d"}, []string{"a..b", "-a", "a_b", ""}},
		"tag":              {isTag, []string{"prod", "k8s", "a+b.c-d"}, []string{"-a", "a b", "a:b", ""}},
		"size":             {isSize, []string{"20G", "1.5T", "512", "4MiB"}, []string{"20 G", "20g", "G", ""}},
		"volume":           {isVolumeID, []string{"local:iso/a.iso", "ceph:vm-1-disk-0"}, []string{"local", ":a", "local: a"}},
		"drive":            {isVolumeOrPath, []string{"none", "cdrom", "/dev/sda", "local:32", "local:0.5"}, []string{"nothing", "l ocal:1"}},
		"CPU set":          {isCPUSet, []string{"0", "0-3", "0,2, 4-7"}, []string{"a", "0-", ",1", ""}},
		"startup order":    {isStartupOrder, []string{"order=1", "1,up=30,down=60", ""}, []string{"first", "order=1,wait=2"}},
		"hotplug":          {isHotplug, []string{"0", "1", "network,disk,usb"}, []string{"2", "network,gpu"}},
		"boot device":      {isBootDevice, []string{"scsi0", "scsi30", "virtio15", "net0", "ide2"}, []string{"scsi31", "virtio16", "sda", ""}},
		"IPv4":             {isIPv4, []string{"10.0.0.1"}, []string{"10.0.0", "fd00::1", "10.0.0.1/24"}},
		"IPv6":             {isIPv6, []string{"fd00::1"}, []string{"10.0.0.1", "fd00::/64"}},
		"address":          {isAddress, []string{"10.0.0.1", "fd00::1", "ns1.example.com"}, []string{"ns_1", "10.0.0.1/24"}},
		"IPv4 network":     {isIPv4Config, []string{"dhcp", "manual", "10.0.0.1/24"}, []string{"10.0.0.1", "10.0.0.1/7", "auto", "fd00::1/64"}},
		"IPv6 network":     {isIPv6Config, []string{"auto", "dhcp", "manual", "fd00::1/64"}, []string{"fd00::1", "10.0.0.1/24"}},
	} {
		for _, value := range test.right {
			if err := test.check(value); err != nil {
				t.Errorf("%s %q is refused: %v", name, value, err)
			}
		}
		for _, value := range test.wrong {
			if test.check(value) == nil {
				t.Errorf("%s %q is accepted", name, value)
			}
		}
	}
}

func TestListsAreSplitAtCommasSemicolonsAndSpaces(t *testing.T) {
	if err := each(isTag)("a,b;c d"); err != nil {
		t.Error(err)
	}
	if each(isTag)("a,-b") == nil {
		t.Error("a wrong element is accepted")
	}
}

func TestSizesAreReadAndWrittenWithTheLargestWholeUnit(t *testing.T) {
	for value, want := range map[string]struct {
		bytes   int64
		written string
	}{
		"20480M": {20 << 30, "20G"},
		"1.5G":   {3 << 29, "1536M"},
		"1536":   {1536, "1536"},
		"1024":   {1024, "1K"},
		"2TiB":   {2 << 40, "2T"},
		"0":      {0, "0"},
	} {
		size, ok := parseSize(value)
		if !ok || size != want.bytes {
			t.Errorf("%s: got %d, %v; want %d", value, size, ok, want.bytes)
		}
		if got := formatSize(size); got != want.written {
			t.Errorf("%s: written as %s, want %s", value, got, want.written)
		}
	}
	if _, ok := parseSize("much"); ok {
		t.Error("much is no size")
	}
}
