import { expect } from "chai";

import { documentsIn } from "../../../components/talos/documents-in.ts";
import { ownVolumes } from "../../../components/talos/own-volumes.ts";

describe("the volumes of a machine's own", () => {
  const of = (text: string): string[] => ownVolumes(documentsIn(text));

  it("are those of users, raw ones, swap and ones that exist, each once", () => {
    const documents = ["UserVolumeConfig", "RawVolumeConfig", "SwapVolumeConfig", "ExistingVolumeConfig"].map(
      (kind, index) => `apiVersion: v1alpha1\nkind: ${kind}\nname: v${index}\n`,
    );
    expect(of([...documents, ...documents].join("---\n"))).to.deep.equal(["v0", "v1", "v2", "v3"]);
  });

  it("are the disks of the older configuration", () => {
    expect(of("machine: { disks: [{ device: /dev/sdb }] }")).to.deep.equal(["/dev/sdb"]);
  });

  it("are not Talos's own", () => {
    expect(
      of("apiVersion: v1alpha1\nkind: VolumeConfig\nname: EPHEMERAL\n---\nmachine: { type: worker }"),
    ).to.deep.equal([]);
  });
});
