package factory

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"go.yaml.in/yaml/v3"
)

// plain is the schematic without customization. The real factory always knows it, because the default image uses it.
const plain = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba"

// schematic is a customization of an image. The order of its fields affects the ID. Source: siderolabs/image-factory
// 1.5.0, pkg/schematic/schematic.go.
type schematic struct {
	Owner   string `yaml:"owner,omitempty"`
	Overlay struct {
		Image   string         `yaml:"image"`
		Name    string         `yaml:"name"`
		Options map[string]any `yaml:"options,omitempty"`
	} `yaml:"overlay,omitempty"`
	Customization struct {
		EmbeddedMachineConfiguration string   `yaml:"embeddedMachineConfiguration,omitempty"`
		ExtraKernelArgs              []string `yaml:"extraKernelArgs,omitempty"`
		Meta                         []struct {
			Key   uint8  `yaml:"key"`
			Value string `yaml:"value"`
		} `yaml:"meta,omitempty"`
		SystemExtensions struct {
			OfficialExtensions []string `yaml:"officialExtensions,omitempty"`
		} `yaml:"systemExtensions,omitempty"`
		Bootloader string `yaml:"bootloader,omitempty"`
		SecureBoot struct {
			EnrollKeys                   string `yaml:"enrollKeys,omitempty"`
			IncludeWellKnownCertificates bool   `yaml:"includeWellKnownCertificates,omitempty"`
		} `yaml:"secureboot,omitempty"`
		DiskImage struct {
			SectorSize uint `yaml:"sectorSize,omitempty"`
		} `yaml:"diskImage,omitempty"`
	} `yaml:"customization"`
}

// normalize returns the factory's normal form of a schematic, and its hash, which is the ID.
func normalize(document []byte) (id string, normalized []byte, err error) {
	decoder := yaml.NewDecoder(bytes.NewReader(document))
	decoder.KnownFields(true)
	var asked schematic
	if err := decoder.Decode(&asked); err != nil {
		return "", nil, err
	}
	if asked.Owner != "" {
		return "", nil, errors.New("owner field is only supported in Enterprise edition")
	}
	if normalized, err = yaml.Marshal(asked); err != nil {
		return "", nil, err
	}
	sum := sha256.Sum256(normalized)
	return hex.EncodeToString(sum[:]), normalized, nil
}

// Extensions returns the official extensions of a schematic that was posted, for example "siderolabs/qemu-guest-agent".
func (f *Factory) Extensions(id string) ([]string, error) {
	document, err := f.get(id)
	if err != nil {
		return nil, err
	}
	var posted schematic
	err = yaml.Unmarshal(document, &posted)
	return posted.Customization.SystemExtensions.OfficialExtensions, err
}
