package talos

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/siderolabs/talos/pkg/machinery/config"
	machineconfig "github.com/siderolabs/talos/pkg/machinery/config/config"

	"hearth.dev/lab/internal/statefile"
)

// volumeFolders are the machine's folders that stand for the partitions of system volumes, by their label.
var volumeFolders = map[string]string{"STATE": "state", "EPHEMERAL": "var"}

// open opens a system volume. A new one whose key is in the TPM, by a configuration that wants SecureBoot, is made with SecureBoot only.
// Source: siderolabs/talos v1.13.9, NewKey of internal/pkg/encryption/keys/tpm2.go.
func (m *Machine) open(label string, cfg config.Provider) error {
	volume, _ := cfg.Volumes().ByName(label)
	if encryption := volume.Encryption(); encryption != nil && !m.secureBoot() {
		_, err := os.Stat(m.disk.path(volumeFolders[label], "luks.json"))
		for _, key := range encryption.Keys() {
			if key.TPM() != nil && key.TPM().CheckSecurebootOnEnroll() && errors.Is(err, fs.ErrNotExist) {
				return errors.New("failed to enroll the TPM2 key, as SecureBoot is disabled (and checkSecurebootOnEnroll is enabled)")
			}
		}
	}
	return m.disk.open(label, cfg)
}

// open opens a system volume with the keys of a configuration. The first time, it encrypts the volume. The keys stand in the volume's own
// folder, so that they go with it.
//
// As in Talos, a volume that exists is neither encrypted nor decrypted, and one of its keys has to be among those of the configuration. Then
// it has the others too. Sources, siderolabs/talos v1.13.9: HandleEncryptionWithHandler and Format in
// internal/app/machined/pkg/controllers/block/internal/volumes; Open, syncKeys and tryHandlers in internal/pkg/encryption/encryption.go.
func (d disk) open(label string, cfg config.Provider) error {
	path := d.path(volumeFolders[label], "luks.json")
	wanted := volumeKeys(label, cfg)
	var kept *[]string
	if err := statefile.Read(path, &kept, "delete the machine's folder to start over"); err != nil {
		return err
	}
	switch {
	case kept == nil:
	case len(*kept) == 0 && len(wanted) > 0:
		return errors.New("block dev type mismatch: xfs != luks")
	case len(*kept) > 0 && len(wanted) == 0:
		return errors.New("filesystem type mismatch: luks != xfs")
	case len(wanted) > 0 && !slices.ContainsFunc(wanted, func(key string) bool { return slices.Contains(*kept, key) }):
		return errors.New("error opening encrypted volume: no handlers available to get encryption keys from")
	}
	return statefile.Write(path, wanted)
}

// volumeKeys returns the keys of a volume in a form in which the same keys are equal. Without encryption there are none.
func volumeKeys(label string, cfg config.Provider) []string {
	keys := []string{}
	volume, _ := cfg.Volumes().ByName(label)
	if encryption := volume.Encryption(); encryption != nil {
		for _, key := range encryption.Keys() {
			keys = append(keys, keyText(key))
		}
	}
	return keys
}

func keyText(key machineconfig.EncryptionKey) string {
	kind := "none"
	switch {
	case key.Static() != nil:
		kind = fmt.Sprintf("static %x", sha256.Sum256(key.Static().Key()))
	case key.NodeID() != nil:
		kind = "nodeID"
	case key.TPM() != nil:
		kind = fmt.Sprintf("tpm %v", key.TPM().CheckSecurebootOnEnroll())
	case key.KMS() != nil:
		kind = "kms " + key.KMS().Endpoint()
	}
	return fmt.Sprintf("%d %s locked to STATE %v", key.Slot(), kind, key.LockToSTATE())
}
