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
		_, err := os.Stat(m.disk.path(volumeFolders[label], "keys.json"))
		for _, key := range encryption.Keys() {
			if key.TPM() != nil && key.TPM().CheckSecurebootOnEnroll() && errors.Is(err, fs.ErrNotExist) {
				return errors.New("failed to enroll the TPM2 key, as SecureBoot is disabled (and checkSecurebootOnEnroll is enabled)")
			}
		}
	}
	how, err := m.disk.open(label, cfg, m.firmware.Seal)
	if err == nil {
		m.volumes[label] = how
	}
	return err
}

// opened is how a volume was opened.
type opened struct {
	// slot is that of the key, nil where the volume is not encrypted.
	slot *int
	// keys are the kinds of keys of the configuration.
	keys []string
	// failed are the keys that the volume could not be given.
	failed []string
}

// open opens a system volume with the keys of a configuration. The first time, it encrypts the volume. The keys stand in the volume's own
// folder, so that they go with it.
//
// As in Talos, a volume that exists is neither encrypted nor decrypted, and one of its keys has to be among those of the configuration. Then
// it gets the others too, and loses those that the configuration no longer has. A key in the TPM that does not open any more because the
// firmware is another stays as it is. Sources, siderolabs/talos v1.13.9: HandleEncryptionWithHandler and Format in
// internal/app/machined/pkg/controllers/block/internal/volumes; Open, syncKeys, updateKey and checkKey in internal/pkg/encryption/encryption.go.
//
// seal changes when the firmware does, so that it no longer releases what the TPM has.
func (d disk) open(label string, cfg config.Provider, seal int) (opened, error) {
	path := d.path(volumeFolders[label], "keys.json")
	wanted := volumeKeys(label, cfg)
	var kept *[]slotKey
	if err := statefile.Read(path, &kept, "delete the machine's folder to start over"); err != nil {
		return opened{}, err
	}
	switch {
	case kept == nil:
		kept = &[]slotKey{}
		for _, key := range wanted {
			*kept = append(*kept, key.sealed(seal))
		}
	case len(*kept) == 0 && len(wanted) > 0:
		return opened{}, errors.New("block dev type mismatch: xfs != luks")
	case len(*kept) > 0 && len(wanted) == 0:
		return opened{}, errors.New("filesystem type mismatch: luks != xfs")
	}
	how, now, err := synced(*kept, wanted, seal)
	if err != nil {
		return opened{}, err
	}
	return how, statefile.Write(path, now)
}

// slotKey is a key in a slot of an encrypted volume, in a form in which the same keys are equal.
type slotKey struct {
	Slot int    `json:"slot"`
	Kind string `json:"kind"`
	Text string `json:"text"`
	// Seal is what the firmware was when the TPM sealed the key.
	Seal int `json:"seal,omitempty"`
}

func (k slotKey) sealed(seal int) slotKey {
	if k.Kind == "tpm" {
		k.Seal = seal
	}
	return k
}

// synced returns how a volume with these keys opens, and the keys that it has then.
func synced(kept, wanted []slotKey, seal int) (opened, []slotKey, error) {
	how, now := opened{}, []slotKey{}
	if len(wanted) == 0 {
		return how, now, nil
	}
	for _, key := range wanted {
		if slices.Contains(kept, key.sealed(seal)) {
			how.slot = &key.Slot
			break
		}
	}
	if how.slot == nil {
		return how, nil, errors.New("error opening encrypted volume: no handlers available to get encryption keys from")
	}
	for _, key := range wanted {
		how.keys = append(how.keys, key.Kind)
		has := slices.IndexFunc(kept, func(each slotKey) bool { return each.Slot == key.Slot })
		if key.Kind == "tpm" && has >= 0 && kept[has].Kind == "tpm" && kept[has].Seal != seal {
			how.failed = append(how.failed, fmt.Sprintf("error updating key slot %d *keys.TPMKeyHandler: TPM_RC_POLICY_FAIL", key.Slot))
			now = append(now, kept[has])
			continue
		}
		now = append(now, key.sealed(seal))
	}
	slices.Sort(how.keys)
	how.keys = slices.Compact(how.keys)
	return how, now, nil
}

// volumeKeys returns the keys of a volume by their slots. Without encryption there are none.
func volumeKeys(label string, cfg config.Provider) []slotKey {
	keys := []slotKey{}
	volume, _ := cfg.Volumes().ByName(label)
	if encryption := volume.Encryption(); encryption != nil {
		for _, key := range encryption.Keys() {
			kind, text := keyText(key)
			keys = append(keys, slotKey{Slot: key.Slot(), Kind: kind, Text: fmt.Sprintf("%s locked to STATE %v", text, key.LockToSTATE())})
		}
	}
	slices.SortFunc(keys, func(a, b slotKey) int { return a.Slot - b.Slot })
	return keys
}

// keyText returns the kind of a key, and what it opens with.
func keyText(key machineconfig.EncryptionKey) (kind, text string) {
	switch {
	case key.Static() != nil:
		return "static", fmt.Sprintf("static %x", sha256.Sum256(key.Static().Key()))
	case key.NodeID() != nil:
		return "nodeID", "nodeID"
	case key.TPM() != nil:
		return "tpm", fmt.Sprintf("tpm %v", key.TPM().CheckSecurebootOnEnroll())
	case key.KMS() != nil:
		return "kms", "kms " + key.KMS().Endpoint()
	}
	return "none", "none"
}
