import { expect } from "chai";

import { diskKeysOf, foreignKeys, sealedVolumes, withDiskKeys } from "../../../../lib/cluster/disk-keys.ts";
import { documentsOf } from "../../../../lib/cluster/machine-configuration.ts";

const installer = (name: string) => `factory.talos.dev/${name}/abc:v1.13.9`;

const configuration = (key: string, image = installer("metal-installer")): string => `version: v1alpha1
machine: { type: worker, install: { image: ${image} } }
---
apiVersion: v1alpha1
kind: VolumeConfig
name: STATE
encryption: { provider: luks2, keys: [{ slot: 0, ${key} }] }
---
apiVersion: v1alpha1
kind: UserVolumeConfig
name: data
encryption: { provider: luks2, keys: [{ slot: 0, ${key}, lockToState: true }, { slot: 1, static: { passphrase: a } }] }
---
apiVersion: v1alpha1
kind: VolumeConfig
name: EPHEMERAL
provisioning: { maxSize: 100GiB }
`;

const kinds = (text: string) => diskKeysOf(documentsOf(text));

const keysOf = (text: string): unknown[] =>
  (documentsOf(text) as { encryption?: { keys: unknown[] } }[]).map(({ encryption }) => encryption?.keys);

describe("the keys of a machine's disks", () => {
  it("are those that a TPM opens, and the one that stands in for it", () => {
    const text = configuration("tpm: {}");
    expect(kinds(text)).to.deep.equal(["tpm"]);
    expect(kinds(withDiskKeys(text, ["tpm", "nodeID"]))).to.deep.equal(["tpm", "nodeID"]);
    expect(kinds(withDiskKeys(text, ["nodeID"]))).to.deep.equal(["nodeID"]);
  });

  it("are none where no TPM opens them", () => {
    const text = configuration("nodeID: {}");
    expect(kinds(text)).to.deep.equal([]);
    expect(documentsOf(withDiskKeys(text, ["tpm"]))).to.deep.equal(documentsOf(text));
  });

  it("are given to each volume beside its recovery key, locked to STATE as it was", () => {
    expect(keysOf(withDiskKeys(configuration("tpm: {}"), ["tpm", "nodeID"]))).to.deep.equal([
      undefined,
      [
        { slot: 0, tpm: {} },
        { slot: 2, nodeID: {} },
      ],
      [
        { slot: 0, tpm: {}, lockToState: true },
        { slot: 1, static: { passphrase: "a" } },
        { slot: 2, nodeID: {}, lockToState: true },
      ],
      undefined,
    ]);
  });

  it("are what they were after all, with SecureBoot and without", () => {
    for (const [key, image] of [
      ["tpm: {}", installer("metal-installer")],
      ["tpm: { checkSecurebootStatusOnEnroll: true }", installer("metal-installer-secureboot")],
    ] as const) {
      const text = configuration(key, image);
      const without = withDiskKeys(withDiskKeys(text, ["tpm", "nodeID"]), ["nodeID"]);
      expect(documentsOf(withDiskKeys(without, ["tpm"]))).to.deep.equal(documentsOf(text));
    }
  });

  it("belong to volumes by Talos's names of them", () => {
    expect(sealedVolumes(documentsOf(configuration("tpm: {}")))).to.deep.equal(["STATE", "u-data"]);
    expect(sealedVolumes(documentsOf(configuration("static: { passphrase: a }")))).to.deep.equal([]);
  });

  it("are not beside the second one, or made again, where patches gave them something of their own", () => {
    const of = (key: string): string[] => foreignKeys(documentsOf(configuration(key)));
    expect(of("tpm: { checkSecurebootStatusOnEnroll: true }")).to.deep.equal([]);
    expect(of("tpm: {} }, { slot: 2, nodeID: {}")).to.deep.equal([]);
    expect(of("tpm: { options: { pcrs: [0, 7] } }")[0]).to.equal(
      "VolumeConfig STATE: `tpm.options` of its key in slot 0",
    );
    expect(of("tpm: {} }, { slot: 2, static: { passphrase: b }")[0]).to.equal("VolumeConfig STATE: its key in slot 2");
  });
});
