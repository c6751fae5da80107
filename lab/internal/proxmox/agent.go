package proxmox

import (
	"crypto/tls"
	"net"
	"strings"
	"time"
)

// agentTimeout is how long the guest agent may take to answer.
const agentTimeout = 500 * time.Millisecond

// agent checks that the guest agent of a call's machine answers, and gives the machine's spec address and MAC.
func (c *call) agent() (address, mac string, err error) {
	c.mu.Lock()
	v, err := c.vmOf()
	if err != nil {
		c.mu.Unlock()
		return "", "", err
	}
	configured, running := v.agentEnabled(), v.Running
	spec, problem := c.specOf(v)
	c.mu.Unlock()
	switch {
	case !configured:
		return "", "", fail("No QEMU guest agent configured")
	case !running:
		return "", "", fail("VM %d is not running", c.num("vmid"))
	case problem != nil || !configuredTalos(spec.Address):
		return "", "", fail("QEMU guest agent is not running")
	}
	return spec.Address, spec.MAC, nil
}

// configuredTalos tells whether the Talos API at an address wants client certificates. In maintenance mode it does not,
// and no extension service runs, the guest agent among them.
func configuredTalos(address string) bool {
	asked := false
	config := &tls.Config{
		InsecureSkipVerify: true, // only what the server asks for matters
		NextProtos:         []string{"h2"},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			asked = true
			return &tls.Certificate{}, nil
		},
	}
	dialer := &net.Dialer{Timeout: agentTimeout}
	connection, err := tls.DialWithDialer(dialer, "tcp", net.JoinHostPort(address, "50000"), config)
	if err == nil {
		_ = connection.Close()
	}
	return asked
}

func agentPing(c *call) (any, error) {
	if _, _, err := c.agent(); err != nil {
		return nil, err
	}
	return map[string]any{"result": map[string]any{}}, nil
}

func agentInterfaces(c *call) (any, error) {
	address, mac, err := c.agent()
	if err != nil {
		return nil, err
	}
	statistics := map[string]int{
		"rx-bytes": 0, "rx-dropped": 0, "rx-errs": 0, "rx-packets": 0, "tx-bytes": 0, "tx-dropped": 0, "tx-errs": 0, "tx-packets": 0,
	}
	one := func(name, hardware, ip string, prefix int) map[string]any {
		return map[string]any{
			"name": name, "hardware-address": hardware, "statistics": statistics,
			"ip-addresses": []map[string]any{{"ip-address": ip, "ip-address-type": "ipv4", "prefix": prefix}},
		}
	}
	return map[string]any{"result": []map[string]any{
		one("lo", "00:00:00:00:00:00", "127.0.0.1", 8), one("ens18", strings.ToLower(mac), address, 24),
	}}, nil
}
