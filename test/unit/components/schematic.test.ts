import { expect } from "chai";

import { diskImageUrl, installerImage, schematicDocument, schematicId } from "../../../components/talos/schematic.ts";

describe("schematic identifiers", () => {
  // Published by the Image Factory for these profiles.
  const published = {
    "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba": [],
    ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515: ["siderolabs/qemu-guest-agent"],
    a13c1e1cdb9e135b5ae8ca3e977a5bee91bb4a503493d9204b6433239f462799: [
      "siderolabs/intel-ucode",
      "siderolabs/drbd",
      "siderolabs/i915-ucode",
    ],
  };
  for (const [id, extensions] of Object.entries(published)) {
    it(`agree with the factory's own for ${extensions.join(", ") || "plain Talos"}`, () => {
      expect(schematicId({ extensions, kernelArguments: [] })).to.equal(id);
    });
  }

  it("do not depend on the order of extensions", () => {
    const ids = [
      ["siderolabs/b", "siderolabs/a"],
      ["siderolabs/a", "siderolabs/b"],
    ].map((extensions) => schematicId({ extensions, kernelArguments: [] }));
    expect(ids[0]).to.equal(ids[1]);
  });

  it("keep the order of kernel arguments, since the kernel does", () => {
    expect(schematicDocument({ extensions: [], kernelArguments: ["b=1", "a=2"] })).to.equal(
      "customization:\n    extraKernelArgs:\n        - b=1\n        - a=2\n",
    );
  });

  it("stand in the addresses of images", () => {
    expect(installerImage("nocloud", "abc", "v1.13.9")).to.equal("factory.talos.dev/nocloud-installer/abc:v1.13.9");
    expect(diskImageUrl("abc", "v1.13.9")).to.equal("https://factory.talos.dev/image/abc/v1.13.9/nocloud-amd64.qcow2");
  });
});
