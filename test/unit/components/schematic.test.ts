import { expect } from "chai";
import fc from "fast-check";
import { parse } from "yaml";

import { goYamlString } from "../../../components/talos/go-yaml.ts";
import {
  diskImageUrl,
  installerImage,
  isoUrl,
  publicFactory,
  schematicDocument,
  schematicId,
  type ImageProfile,
} from "../../../components/talos/schematic.ts";

const profile = (changes: Partial<ImageProfile> = {}): ImageProfile => ({
  extensions: [],
  kernelArguments: [],
  ...changes,
});

describe("schematic identifiers", () => {
  it("is Siderolabs' own for a single-board computer", () => {
    // Source: Talos's guide to the Raspberry Pi.
    const overlay = { image: "siderolabs/sbc-raspberrypi", name: "rpi_generic" };
    expect(schematicId({ extensions: [], kernelArguments: [], overlay })).to.equal(
      "ee21ef4a5ef808a9b7484cc0dda0f25075021691c8c09a276591eedb638ea1f9",
    );
  });

  // Published by the Image Factory, or by the tests of its code, for these profiles.
  const published: [id: string, changes: Partial<ImageProfile>][] = [
    ["376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba", {}],
    [
      "ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515",
      { extensions: ["siderolabs/qemu-guest-agent"] },
    ],
    [
      "a13c1e1cdb9e135b5ae8ca3e977a5bee91bb4a503493d9204b6433239f462799",
      { extensions: ["siderolabs/intel-ucode", "siderolabs/drbd", "siderolabs/i915-ucode"] },
    ],
    ["9cba8e32753f91a16c1837ab8abf356af021706ef284aef07380780177d9a06c", { kernelArguments: ["noapic", "nolapic"] }],
    ["fa8e05f142a851d3ee568eb0a8e5841eaf6b0ebc8df9a63df16ac5ed2c04f3e6", { wellKnownCertificates: true }],
  ];
  for (const [id, changes] of published) {
    it(`agree with the factory's own for ${JSON.stringify(changes)}`, () => {
      expect(schematicId(profile(changes))).to.equal(id);
    });
  }

  it("do not depend on the order of extensions", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.constantFrom("a/1", "a/2", "b/1", "b/2")), (extensions) => {
        expect(schematicId(profile({ extensions: [...extensions].reverse() }))).to.equal(
          schematicId(profile({ extensions })),
        );
      }),
    );
  });

  it("differ when the order of kernel arguments does, since the kernel reads them in order", () => {
    const [one, other] = [
      ["b=1", "a=2"],
      ["a=2", "b=1"],
    ].map((kernelArguments) => schematicId(profile({ kernelArguments })));
    expect(one).not.to.equal(other);
  });

  it("are of a document that says what the profile does", () => {
    const argument = fc.stringMatching(/^[!-~]{1,30}$/);
    fc.assert(
      fc.property(fc.array(argument, { minLength: 1 }), (kernelArguments) => {
        const document = parse(schematicDocument(profile({ kernelArguments }))) as unknown;
        expect(document).to.deep.equal({ customization: { extraKernelArgs: kernelArguments } });
      }),
    );
  });
});

describe("strings in YAML as Go writes them", () => {
  // As gopkg.in/yaml.v3 v3.0.1 wrote them.
  const plain = [
    ...["noapic", "-console", "console=ttyS0,115200", "ip=10.0.0.1::10.0.0.254:255.255.255.0::eth0:off", "a#b", "a,b"],
    ...[
      'a="b c"',
      "?a",
      "=",
      "<<",
      "intel_iommu=on",
      "a'b",
      "talos.config=https://x/y?h=${hostname}",
      "a\\b",
      "_1",
      "é",
    ],
    ...["-a b", "pcie_aspm=off"],
  ];
  const double = [
    ...["on", "off", "y", "n", "yes", "No", "true", "null", "~", "1", "0x1f", "1.5", "1e3", "-1", "1_000", "TRUE", "Y"],
    ...["2001-01-01", "12:30:45", "", "0o7", "0b1", ".5", "+1", ".inf", "1:2", "-.5"],
  ];
  const single = [
    "-",
    "a:",
    "a: b",
    "a #b",
    "#a",
    "%a",
    "*a",
    "&a",
    "!a",
    "{a}",
    "[a]",
    "@a",
    "`a`",
    "? a",
    "| a",
    ">a",
    "a=b:",
    "- a",
  ];

  it("stand without quotes where they can", () => {
    expect(plain.map(goYamlString)).to.deep.equal(plain);
  });

  it("stand in double quotes where they would be read as something else", () => {
    expect(double.map(goYamlString)).to.deep.equal(double.map((text) => `"${text}"`));
  });

  it("stand in single quotes where YAML would misread them", () => {
    expect([...single, "'a'"].map(goYamlString)).to.deep.equal([...single.map((text) => `'${text}'`), "'''a'''"]);
  });
});

describe("addresses of images", () => {
  const image = { schematic: "abc", secureBoot: false, factory: publicFactory };

  it("name the platform, the schematic and the release", () => {
    expect(installerImage({ ...image, platform: "nocloud" }, "v1.13.9")).to.equal(
      "factory.talos.dev/nocloud-installer/abc:v1.13.9",
    );
    expect(diskImageUrl({ ...image, platform: "nocloud" }, "v1.13.9")).to.equal(
      "https://factory.talos.dev/image/abc/v1.13.9/nocloud-amd64.qcow2",
    );
    expect(isoUrl({ ...image, platform: "metal" }, "v1.13.9")).to.equal(
      "https://factory.talos.dev/image/abc/v1.13.9/metal-amd64.iso",
    );
  });

  it("lead to signed images with SecureBoot", () => {
    const signed = { ...image, secureBoot: true };
    expect(installerImage({ ...signed, platform: "metal" }, "v1.13.9")).to.equal(
      "factory.talos.dev/metal-installer-secureboot/abc:v1.13.9",
    );
    expect(diskImageUrl({ ...signed, platform: "nocloud" }, "v1.13.9")).to.equal(
      "https://factory.talos.dev/image/abc/v1.13.9/nocloud-amd64-secureboot.qcow2",
    );
    expect(isoUrl({ ...signed, platform: "metal" }, "v1.13.9")).to.match(/metal-amd64-secureboot\.iso$/);
  });
});
