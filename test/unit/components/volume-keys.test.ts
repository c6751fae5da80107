import { expect } from "chai";

import { closedVolumes } from "../../../components/talos/volume-keys.ts";

const volume = (name: string, keys?: object[], kind = "VolumeConfig") => ({
  ...{ apiVersion: "v1alpha1", kind, name },
  ...(keys && { encryption: { provider: "luks2", keys } }),
});
const nodeId = { slot: 0, nodeID: {} };
const tpm = { slot: 0, tpm: {} };
const recovery = (passphrase: string) => ({ slot: 1, static: { passphrase } });

describe("a volume of a machine that exists", () => {
  it("opens with what it has, and where nothing is encrypted", () => {
    expect(closedVolumes([volume("STATE", [tpm])], [volume("STATE", [tpm])])).to.deep.equal([]);
    expect(closedVolumes([], [volume("EPHEMERAL")])).to.deep.equal([]);
  });

  it("is neither encrypted nor decrypted", () => {
    expect(closedVolumes([], [volume("STATE", [nodeId]), volume("EPHEMERAL", [nodeId])])).to.deep.equal([
      "VolumeConfig STATE",
      "VolumeConfig EPHEMERAL",
    ]);
    expect(closedVolumes([volume("STATE", [nodeId])], [])).to.deep.equal(["VolumeConfig STATE"]);
  });

  it("opens only with a key that it has, in the slot that it has it in", () => {
    expect(closedVolumes([volume("STATE", [nodeId])], [volume("STATE", [tpm])])).to.deep.equal(["VolumeConfig STATE"]);
    expect(closedVolumes([volume("STATE", [tpm])], [volume("STATE", [{ ...tpm, slot: 1 }])])).to.have.length(1);
    expect(closedVolumes([volume("STATE", [recovery("a"), tpm])], [volume("STATE", [tpm])])).to.deep.equal([]);
  });

  it("has the keys of all its documents", () => {
    const patches = [volume("EPHEMERAL", [tpm]), volume("EPHEMERAL", [recovery("a")])];
    expect(closedVolumes(patches, [volume("EPHEMERAL", [recovery("a")])])).to.deep.equal([]);
  });

  it("is not one that is made for the first time, such as the cache of images", () => {
    const cache = (keys?: object[]) => volume("IMAGECACHE", keys);
    expect(closedVolumes([], [cache([nodeId])])).to.deep.equal([]);
    expect(closedVolumes([cache([nodeId])], [])).to.deep.equal([]);
    expect(closedVolumes([cache()], [cache([nodeId])])).to.deep.equal(["VolumeConfig IMAGECACHE"]);
  });

  for (const kind of ["RawVolumeConfig", "SwapVolumeConfig"]) {
    it(`is one of kind ${kind} too`, () => {
      const [plain, encrypted] = [volume("data", undefined, kind), volume("data", [nodeId], kind)];
      expect(closedVolumes([], [encrypted])).to.deep.equal([]);
      expect(closedVolumes([plain], [encrypted])).to.deep.equal([`${kind} data`]);
    });
  }

  it("is one that was there and stays, if it is a user's", () => {
    const data = (keys?: object[]) => volume("data", keys, "UserVolumeConfig");
    expect(closedVolumes([], [data([nodeId])])).to.deep.equal([]);
    expect(closedVolumes([data([nodeId])], [])).to.deep.equal([]);
    expect(closedVolumes([data()], [data([nodeId])])).to.deep.equal(["UserVolumeConfig data"]);
  });
});
