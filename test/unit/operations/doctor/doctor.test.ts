import { createServer } from "node:tls";
import type { AddressInfo } from "node:net";

import { expect } from "chai";

import type { Disk } from "../../../../lib/cluster/hardware.ts";
import { selected } from "../../../../operations/doctor/disks.ts";
import { examine, type Subject } from "../../../../operations/doctor/doctor.ts";
import { fine, problem, warning } from "../../../../operations/doctor/finding.ts";
import { report } from "../../../../operations/doctor/report.ts";
import type { Surroundings } from "../../../../operations/doctor/surroundings.ts";
import { trustOf } from "../../../../lib/engine/certificate.ts";

const nothing = {} as Surroundings;

const subject = (name: string, look: () => ReturnType<Subject["examine"]>): Subject => ({ name, examine: look });

describe("an examination", () => {
  it("tells what the others found where one fails and one never ends", async () => {
    const findings = await examine(
      [
        subject("a", () => Promise.resolve([fine("a", "well")])),
        subject("b", () => Promise.reject(new Error("ECONNRESET\nwith a second line"))),
        subject("c", () => new Promise(() => undefined)),
      ],
      nothing,
      50,
    );
    expect(findings.map(({ check, is, found }) => [check, is, found])).to.deep.equal([
      ["a", "fine", "well"],
      ["b", "problem", "cannot be examined: ECONNRESET"],
      ["c", "problem", "cannot be examined: no answer in 0.05 s"],
    ]);
  });

  it("looks at all subjects at the same time", async () => {
    const slow = (name: string) =>
      subject(name, () => new Promise((resolve) => setTimeout(resolve, 200, [fine(name, "well")])));
    const started = Date.now();
    expect(await examine(["a", "b", "c", "d"].map(slow), nothing)).to.have.length(4);
    expect(Date.now() - started).to.be.below(700);
  });
});

describe("the report of an examination", () => {
  it("shows everything in the table, and below it what to do about what is not fine", () => {
    const text = report("dev", [
      fine("Git branch main", "is there"),
      problem("Proxmox host pve1", "is offline", "start it"),
      warning("escrow destinations", "there are none", "name a share"),
    ]);
    expect(text.split("\n")).to.deep.equal([
      "         check                found",
      "fine     Git branch main      is there",
      "problem  Proxmox host pve1    is offline",
      "warning  escrow destinations  there are none",
      "",
      "What to do:",
      "",
      "  problem: Proxmox host pve1: is offline",
      "    start it",
      "  warning: escrow destinations: there are none",
      "    name a share",
      "",
      "dev has 1 problem, 1 warning",
    ]);
  });

  it("says so where there is nothing to do", () => {
    expect(report("dev", [fine("Git branch main", "is there")])).to.match(/\n\ndev has no problem$/);
  });
});

describe("a disk selector", () => {
  const disk = (more: Partial<Disk>): Disk => ({ dev_path: "/dev/x", size: 500e9, transport: "sata", ...more });
  const cases: [string, Parameters<typeof selected>[0], Disk, boolean][] = [
    ["takes NVMe for an SSD, which does not rotate", { type: "ssd" }, disk({ transport: "nvme" }), true],
    ["knows what rotates", { type: "hdd" }, disk({ rotational: true }), true],
    ["knows NVMe", { type: "nvme" }, disk({}), false],
    ["knows memory cards", { type: "sd" }, disk({ transport: "mmc" }), true],
    ["compares sizes in powers of ten", { size: ">= 500GB" }, disk({}), true],
    ["compares sizes in powers of two", { size: ">= 500GiB" }, disk({}), false],
    ["wants the exact size without an operator", { size: "500GB" }, disk({ size: 500e9 + 1 }), false],
    ["has wildcards", { model: "Samsung*" }, disk({ model: "Samsung SSD 980" }), true],
    ["takes no other sign for a wildcard", { serial: "S.1" }, disk({ serial: "SX1" }), false],
    ["wants everything that it names", { type: "ssd", serial: "A" }, disk({ serial: "B" }), false],
    ["takes no disk without a transport, such as a device mapper's", { type: "ssd" }, disk({ transport: "" }), false],
    ["takes no CD drive", { type: "ssd" }, disk({ cdrom: true }), false],
    ["takes no disk that cannot be written", { type: "ssd" }, disk({ readonly: true }), false],
  ];
  for (const [name, selector, facts, isTaken] of cases) {
    it(name, () => {
      expect(selected(selector, [facts])).to.deep.equal(isTaken ? [facts] : []);
    });
  }
});

describe("a server's certificate", () => {
  it("is silent where nothing listens", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    expect(await trustOf(`https://127.0.0.1:${port.toString()}`, [])).to.deep.equal({
      is: "silent",
      why: "ECONNREFUSED",
    });
  });
});
