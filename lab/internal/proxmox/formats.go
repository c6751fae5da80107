package proxmox

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

var (
	configIDPattern = regexp.MustCompile(`^[A-Za-z][\w-]+$`)
	nodePattern     = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?$`)
	storagePattern  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._-]*[A-Za-z0-9]$`)
	vmidPattern     = regexp.MustCompile(`^[1-9][0-9]{2,8}$`)
	poolPattern     = regexp.MustCompile(`^[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+){0,2}$`)
	haIDPattern     = regexp.MustCompile(`^[a-z]+:\S+$`)
	haOrVMIDPattern = regexp.MustCompile(`^(?:[a-z]+:\S+|\d+)$`)
	haNodePattern   = regexp.MustCompile(`^[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?::\d+)?$`)
	bootDiskPattern = regexp.MustCompile(`^(?:ide[0-3]|sata[0-5]|scsi(?:[0-9]|[12][0-9]|30)|virtio(?:[0-9]|1[0-5]))$`)
	bridgePattern   = regexp.MustCompile(`^[-_.\w]+$`)
	macPattern      = regexp.MustCompile(`^(?i)[a-f0-9][02468ace](?::[a-f0-9]{2}){5}$`)
	dnsPattern      = regexp.MustCompile(`^([a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?\.)*[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?$`)
	tagPattern      = regexp.MustCompile(`^(?i)[a-z0-9_][a-z0-9_\-+.]*$`)
	encodedPattern  = regexp.MustCompile(`^[-%a-zA-Z0-9_.!~*'()]*$`)
	startupPattern  = regexp.MustCompile(`^(?:(?:order=)?\d+|up=\d+|down=\d+)$`)
	bootPattern     = regexp.MustCompile(`^(?:(?:ide[0-3]|sata[0-5]|scsi(?:[0-9]|[12][0-9]|30)|virtio(?:[0-9]|1[0-5]))|net\d+|usb\d+|hostpci\d+)$`)
	volumePattern   = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9._-]*[A-Za-z0-9]):(\S+)$`)
	newDiskPattern  = regexp.MustCompile(`^(?:([^/:\s]+):)?(\d+(?:\.\d+)?)$`)
	sizePattern     = regexp.MustCompile(`^(\d+(?:\.\d+)?)([KMGT](?:iB)?)?$`)
	cpusetPattern   = regexp.MustCompile(`^\s*\d+(?:-\d+)?(?:\s*,\s*\d+(?:-\d+)?)*\s*$`)
	separators      = regexp.MustCompile(`[,;\s\x00]+`)
)

func wants(pattern *regexp.Regexp, problem string) func(string) error {
	return func(value string) error {
		if pattern.MatchString(value) {
			return nil
		}
		return errors.New(strings.ReplaceAll(problem, "$", value))
	}
}

var (
	isConfigID         = wants(configIDPattern, "invalid configuration ID '$'")
	isNodeName         = wants(nodePattern, "value does not look like a valid node name")
	isVMID             = wants(vmidPattern, "value does not look like a valid VM ID")
	isBootDisk         = wants(bootDiskPattern, "invalid boot disk '$'")
	configIDs          = formatted(each(isConfigID))
	isBridgeID         = wants(bridgePattern, "invalid bridge ID '$'")
	isMAC              = wants(macPattern, "value does not look like a valid unicast MAC address")
	isDNSName          = wants(dnsPattern, "value does not look like a valid DNS name")
	isHAResourceID     = wants(haIDPattern, "value does not look like a valid ha resource id")
	isHAResourceOrVMID = wants(haOrVMIDPattern, "value does not look like a valid ha resource id")
	isHANode           = wants(haNodePattern, "value does not look like a valid ha node")
	isURLEncoded       = wants(encodedPattern, "invalid urlencoded string: $")
	isSize             = wants(sizePattern, "value does not look like a valid disk size: $")
	isVolumeID         = wants(volumePattern, "unable to parse volume ID '$'")
	isCPUSet           = wants(cpusetPattern, "unable to parse cpuset option")
)

// each splits a value as Proxmox splits its lists, and checks every element.
func each(format func(string) error) func(string) error {
	return func(value string) error {
		for _, element := range splitList(value) {
			if err := format(element); err != nil {
				return err
			}
		}
		return nil
	}
}

func splitList(value string) []string {
	var list []string
	for _, element := range separators.Split(value, -1) {
		if element != "" {
			list = append(list, element)
		}
	}
	return list
}

func isStorageID(value string) error {
	switch {
	case len(value) < 2:
		return fmt.Errorf("storage ID '%s' cannot be shorter than 2 characters", value)
	case !storagePattern.MatchString(value):
		return fmt.Errorf("storage ID '%s' contains illegal characters", value)
	}
	return nil
}

func isPoolID(value string) error {
	switch {
	case strings.Count(strings.TrimRight(value, "/"), "/") > 2:
		return fmt.Errorf("pool name '%s' nested too deeply (max levels = 3)", value)
	case !poolPattern.MatchString(value):
		return fmt.Errorf("pool name '%s' contains invalid characters", value)
	}
	return nil
}

func isContentType(value string) error {
	switch value {
	case "images", "rootdir", "vztmpl", "iso", "backup", "snippets", "import", "none":
		return nil
	}
	return fmt.Errorf("invalid content type '%s'", value)
}

func isPhysBits(value string) error {
	if bits, err := strconv.Atoi(value); value == "host" || err == nil && bits >= 8 && bits <= 64 {
		return nil
	}
	return errors.New("value must be an integer between 8 and 64 or 'host'")
}

func isTag(value string) error {
	if tagPattern.MatchString(value) {
		return nil
	}
	return errors.New("invalid characters in tag")
}

func isStartupOrder(value string) error {
	for part := range strings.SplitSeq(value, ",") {
		if strings.TrimSpace(part) != "" && !startupPattern.MatchString(part) {
			return errors.New("unable to parse startup options")
		}
	}
	return nil
}

func isHotplug(value string) error {
	if value == "0" || value == "1" {
		return nil
	}
	for _, feature := range splitList(value) {
		switch feature {
		case "network", "disk", "cpu", "memory", "usb", "cloudinit":
		default:
			return fmt.Errorf("invalid hotplug feature '%s'", feature)
		}
	}
	return nil
}

func isBootDevice(value string) error {
	if bootPattern.MatchString(value) {
		return nil
	}
	return fmt.Errorf("invalid boot device '%s'", value)
}

// isVolumeOrPath accepts the values of a drive: none, cdrom, a volume, a new volume (storage:size), or an absolute
// path.
func isVolumeOrPath(value string) error {
	if value == "none" || value == "cdrom" || strings.HasPrefix(value, "/") || newDiskPattern.MatchString(value) {
		return nil
	}
	return isVolumeID(value)
}

func isIPv4(value string) error {
	if address, err := netip.ParseAddr(value); err != nil || !address.Is4() {
		return errors.New("value does not look like a valid IPv4 address")
	}
	return nil
}

func isIPv6(value string) error {
	if address, err := netip.ParseAddr(value); err != nil || !address.Is6() {
		return errors.New("value does not look like a valid IPv6 address")
	}
	return nil
}

func isAddress(value string) error {
	if _, err := netip.ParseAddr(value); err == nil || dnsPattern.MatchString(value) {
		return nil
	}
	return fmt.Errorf("value does not look like a valid address: %s", value)
}

func isIPv4Config(value string) error {
	prefix, err := netip.ParsePrefix(value)
	if value == "dhcp" || value == "manual" || err == nil && prefix.Addr().Is4() && prefix.Bits() > 7 {
		return nil
	}
	return errors.New("value does not look like a valid ipv4 network configuration")
}

func isIPv6Config(value string) error {
	prefix, err := netip.ParsePrefix(value)
	if value == "auto" || value == "dhcp" || value == "manual" || err == nil && prefix.Addr().Is6() && prefix.Bits() > 7 {
		return nil
	}
	return errors.New("value does not look like a valid ipv6 network configuration")
}

// parseSize parses a size in Proxmox's notation and returns bytes. It returns false if the size is invalid.
func parseSize(value string) (int64, bool) {
	match := sizePattern.FindStringSubmatch(value)
	if match == nil {
		return 0, false
	}
	n, _ := strconv.ParseFloat(match[1], 64)
	if match[2] != "" {
		n *= float64(int64(1) << (10 * (1 + strings.Index("KMGT", match[2][:1]))))
	}
	return int64(n), true
}

func mustParseSize(value string) int64 {
	size, _ := parseSize(value)
	return size
}

// formatSize formats bytes with the largest unit that divides them.
func formatSize(size int64) string {
	unit := 0
	for unit < 4 && size != 0 && size%1024 == 0 {
		size /= 1024
		unit++
	}
	return strconv.FormatInt(size, 10) + []string{"", "K", "M", "G", "T"}[unit]
}
