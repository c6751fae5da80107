import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";
import { parse } from "yaml";

import type { Disk } from "../../../../lib/cluster/hardware.ts";
import { withNodes } from "../../../../operations/discover/into-stack-file.ts";
import type { Machine } from "../../../../operations/discover/machine.ts";
import { nodeLines } from "../../../../operations/discover/node-text.ts";

const root = join(import.meta.dirname, "../../../..");

const nvme: Disk = {
  dev_path: "/dev/nvme0n1",
  size: 1.0e12,
  transport: "nvme",
  model: "Samsung SSD 990",
  serial: "S6Z1",
};
const sata: Disk = {
  dev_path: "/dev/sda",
  size: 4.0e12,
  transport: "sata",
  model: "WD Red",
  serial: "WX4",
  wwid: "naa.5",
};
const stick: Disk = { dev_path: "/dev/sdb", size: 3.2e10, transport: "usb", model: "Ultra", serial: "0001" };

const machine = (changes: Partial<Machine> = {}): Machine => ({
  address: "192.168.1.21",
  product: "Micro Computer MS-01",
  threads: 20,
  memoryMiB: 65_536,
  isSecureBoot: false,
  release: "v1.13.9",
  link: { name: "enp87s0", mac: "58:47:CA:70:00:01" },
  otherLinks: [{ name: "enp88s0", mac: "58:47:CA:70:00:02" }],
  disks: [nvme, stick],
  ...changes,
});

const as = { role: "worker", image: "standard" } as const;

const nodeOf = (changes: Partial<Machine>): Record<string, unknown> => {
  const { wk01 } = parse(nodeLines("wk01", machine(changes), as).join("\n")) as { wk01: Record<string, unknown> };
  return wk01;
};

describe("a discovered machine", () => {
  it("is a node with what it told beside it", () => {
    expect(nodeLines("wk01", machine(), as)).to.deep.equal([
      "wk01:",
      "  # Micro Computer MS-01, 20 threads, 64 GiB, SecureBoot off; booted Talos v1.13.9",
      "  platform: metal",
      "  role: worker",
      "  image: standard",
      "  address: 192.168.1.21",
      "  mac: 58:47:CA:70:00:01 # enp87s0; the others are enp88s0 58:47:CA:70:00:02",
      '  diskSelector: { serial: "S6Z1" } # /dev/nvme0n1, 1000 GB, Samsung SSD 990, nvme',
    ]);
  });

  it("has no install disk where several fit, but each to choose from", () => {
    const lines = nodeLines("wk01", machine({ disks: [nvme, sata, stick] }), as);
    expect(lines.slice(7)).to.deep.equal([
      "  # Talos overwrites the disk that it is installed to. Take one of these lines, and remove the others:",
      '  # diskSelector: { serial: "S6Z1" } # /dev/nvme0n1, 1000 GB, Samsung SSD 990, nvme',
      '  # diskSelector: { serial: "WX4" } # /dev/sda, 4000 GB, WD Red, sata',
    ]);
    expect(nodeOf({ disks: [nvme, sata] })).to.not.have.any.keys("diskSelector", "installDisk");
  });

  const selections: [string, Disk[], object][] = [
    ["by its WWID where it has no serial", [{ ...sata, serial: "" }], { diskSelector: { wwid: "naa.5" } }],
    [
      "by its WWID where the serial is another disk's too",
      [sata, { ...stick, serial: "WX4" }],
      { diskSelector: { wwid: "naa.5" } },
    ],
    [
      "by its WWID where Talos would read the serial as a pattern",
      [{ ...sata, serial: "W*" }],
      { diskSelector: { wwid: "naa.5" } },
    ],
    [
      "by its WWID where the serial is no plain text",
      [{ ...sata, serial: "W\u00e9" }],
      { diskSelector: { wwid: "naa.5" } },
    ],
    [
      "by its path where it has neither",
      [{ dev_path: "/dev/vda", size: 1e10, transport: "virtio" }],
      { installDisk: "/dev/vda" },
    ],
    [
      "not to a stick, a disk that is read-only, or one without a transport",
      [nvme, stick, { ...sata, readonly: true }, { ...sata, cdrom: true }, { dev_path: "/dev/loop0", size: 1 }],
      { diskSelector: { serial: "S6Z1" } },
    ],
    ["nowhere if none can be", [stick], {}],
  ];
  for (const [what, disks, expected] of selections) {
    it(`is installed ${what}`, () => {
      const { diskSelector, installDisk } = nodeOf({ disks });
      expect({
        ...(diskSelector !== undefined && { diskSelector }),
        ...(installDisk !== undefined && { installDisk }),
      }).to.deep.equal(expected);
    });
  }

  it("cannot write keys of its own by what it is called", () => {
    const product = "evil\n  role: controlplane\u2028  image: theirs";
    const serial = '" }\n  role: controlplane # ';
    expect(nodeOf({ product, disks: [{ ...nvme, serial, model: "x\r\ny" }] })).to.include({
      role: "worker",
      image: "standard",
    });
    const injected = "\n  role: controlplane";
    expect(nodeOf({ link: { name: "eth0", mac: `58:47:CA:70:00:01${injected}` } }).role).to.equal("worker");
    const bare = { dev_path: `/dev/vda${injected}`, size: 1e10, transport: "virtio" };
    expect(nodeOf({ disks: [bare] }).role).to.equal("worker");
  });
});

describe("nodes that are added to a stack file", () => {
  const node = ["new:", "  # a comment", "  role: worker"];

  for (const file of ["Pulumi.dev.yaml", "Pulumi.prod.yaml"]) {
    it(`leave everything else in ${file} as it is`, () => {
      const text = readFileSync(join(root, file), "utf8");
      const added = withNodes(text, [node], file);
      const before = parse(text) as { config: Record<string, object> };
      expect(parse(added)).to.deep.equal({
        ...before,
        config: { ...before.config, "hearth:nodes": { ...before.config["hearth:nodes"], new: { role: "worker" } } },
      });
      const lines = added.split("\n");
      const at = lines.findIndex((line) => line.trim() === "new:");
      lines.splice(at, 3);
      expect(lines.join("\n")).to.equal(text);
    });
  }

  it("come after the comment of the last value, and before what follows", () => {
    const text =
      "config:\n  hearth:nodes:\n    a:\n      role: worker # the last\n\n  # of the pool\n  hearth:pools: {}\n";
    expect(withNodes(text, [node], "f")).to.equal(
      "config:\n  hearth:nodes:\n    a:\n      role: worker # the last\n    new:\n      # a comment\n      role: worker\n" +
        "\n  # of the pool\n  hearth:pools: {}\n",
    );
  });

  it("come at the end of a file without a last line end, and after a block of text", () => {
    const start = "config:\n  hearth:nodes:\n    a:\n      patches:\n        - |\n          text\n";
    expect(withNodes(start, [["b: 1"]], "f")).to.equal(`${start}    b: 1\n`);
    expect(withNodes("config:\n  hearth:nodes:\n    a: { role: worker }", [["b: 1"]], "f")).to.equal(
      "config:\n  hearth:nodes:\n    a: { role: worker }\n    b: 1\n",
    );
  });

  for (const [what, text] of [
    ["none", "config: {}\n"],
    ["them in one line", "config:\n  hearth:nodes: { a: 1 }\n"],
  ] as const) {
    it(`are refused where it has ${what}`, () => {
      expect(() => withNodes(text, [node], "Pulumi.dev.yaml")).to.throw(
        "Pulumi.dev.yaml has no hearth:nodes in lines of their own: paste the nodes there by hand",
      );
    });
  }
});
