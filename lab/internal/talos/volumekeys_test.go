package talos

import (
	"strings"
	"testing"

	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/configloader"
)

// volumes is a configuration with a document for EPHEMERAL that has these keys. Without any it is not encrypted.
func volumes(t *testing.T, keys string) config.Provider {
	t.Helper()
	document := "apiVersion: v1alpha1\nkind: VolumeConfig\nname: EPHEMERAL\n"
	if keys != "" {
		document += "encryption: { provider: luks2, keys: [" + keys + "] }\n"
	}
	cfg, err := configloader.NewFromBytes([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestAVolumeOpensOnlyWithAKeyThatItHas(t *testing.T) {
	const nodeID, tpm = "{ slot: 0, nodeID: {} }", "{ slot: 0, tpm: {} }"
	recovery := func(passphrase string) string { return "{ slot: 1, static: { passphrase: " + passphrase + " } }" }
	for name, each := range map[string]struct {
		// The keys of one start after the other.
		starts []string
		want   string
	}{
		"as it was":             {[]string{nodeID, nodeID}, ""},
		"never encrypted":       {[]string{"", ""}, ""},
		"encrypted later":       {[]string{"", nodeID}, "block dev type mismatch: xfs != luks"},
		"decrypted later":       {[]string{nodeID, ""}, "filesystem type mismatch: luks != xfs"},
		"another key":           {[]string{nodeID, tpm}, "no handlers available"},
		"a further key":         {[]string{tpm, tpm + ", " + recovery("a")}, ""},
		"a key that came later": {[]string{tpm, tpm + ", " + recovery("a"), recovery("a")}, ""},
		"a key that went":       {[]string{tpm + ", " + recovery("a"), tpm, recovery("a")}, "no handlers available"},
		"another passphrase":    {[]string{recovery("a"), recovery("b")}, "no handlers available"},
	} {
		t.Run(name, func(t *testing.T) {
			d := disk{dir: t.TempDir()}
			var err error
			for _, keys := range each.starts {
				_, err = d.open("EPHEMERAL", volumes(t, keys), 0)
			}
			if (err == nil) != (each.want == "") || err != nil && !strings.Contains(err.Error(), each.want) {
				t.Errorf("got %v, want %q", err, each.want)
			}
			if err := d.wipeEphemeral(); err != nil {
				t.Fatal(err)
			}
			if _, err := d.open("EPHEMERAL", volumes(t, each.starts[len(each.starts)-1]), 0); err != nil {
				t.Errorf("after a wipe: %v", err)
			}
		})
	}
}

func TestAKeyInTheTPMDoesNotOpenAfterAnUpdateOfFirmware(t *testing.T) {
	const tpm, node = "{ slot: 0, tpm: {} }", "{ slot: 2, nodeID: {} }"
	d := disk{dir: t.TempDir()}
	for index, each := range []struct {
		keys   string
		seal   int
		slot   int
		failed int
		closed bool
	}{
		{tpm, 0, 0, 0, false},
		{tpm + ", " + node, 0, 0, 0, false},
		{tpm, 1, 0, 0, true},
		{tpm + ", " + node, 1, 2, 1, false},
		{tpm + ", " + node, 1, 2, 1, false},
		{node, 1, 2, 0, false},
		{tpm + ", " + node, 1, 2, 0, false},
		{tpm, 1, 0, 0, false},
		{tpm, 0, 0, 0, true},
	} {
		how, err := d.open("EPHEMERAL", volumes(t, each.keys), each.seal)
		if (err != nil) != each.closed {
			t.Fatalf("start %d: %v", index, err)
		}
		if err == nil && (how.slot == nil || *how.slot != each.slot || len(how.failed) != each.failed) {
			t.Errorf("start %d: %+v", index, how)
		}
	}
}
