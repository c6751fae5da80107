import { expect } from "chai";

import { warningsOf } from "../../../../operations/doctor/proxmox-room.ts";
import type { ProxmoxAnswer } from "../../../../lib/cluster/proxmox.ts";
import { dev } from "../../../support/doctor.ts";

const gibibyte = 1024 ** 3;
const vms = Object.values(dev.nodes).flatMap((node) => (node.platform === "proxmox" ? [node.proxmox] : []));

/** A host with as much room as is given, and with some machines. */
const host =
  ({ avail, type = "lvm", made = [] as number[], isListed = true }: Record<string, unknown> & { made?: number[] }) =>
  (path: string): Promise<ProxmoxAnswer> => {
    const answer = (data: unknown): Promise<ProxmoxAnswer> => Promise.resolve({ status: 200, reason: "OK", data });
    if (path.startsWith("/cluster/resources"))
      return isListed === true
        ? answer(made.map((vmid) => ({ vmid })))
        : Promise.resolve({ status: 403, reason: "Permission check failed", data: null });
    return answer([
      { storage: "local", type: "dir", content: "import,iso", avail: 100 * gibibyte },
      { storage: "local-lvm", type, content: "images", avail },
    ]);
  };

const disks = vms.reduce(
  (sum, { disk, extraDisks }) => sum + disk + extraDisks.reduce((all, { size }) => all + size, 0),
  0,
);

describe("the datastores' warnings of a preview", () => {
  it("add up the new disks of all machines", async () => {
    const [warning = "", ...more] = await warningsOf(dev, host({ avail: (disks - 1) * gibibyte }));
    expect(warning).to.contain(`Proxmox datastore local-lvm on ${vms[0]?.host ?? ""}: has ${disks - 1} GiB free`);
    expect(warning).to.contain(`the stack's new disks are ${disks} GiB`).and.contain("make the disks smaller");
    expect(more).to.deep.equal([]);
    expect(await warningsOf(dev, host({ avail: disks * gibibyte }))).to.deep.equal([]);
  });

  it("leave out machines that are there", async () => {
    const made = vms.slice(1).map(({ vmId }) => vmId);
    const [first] = vms;
    expect(await warningsOf(dev, host({ avail: (first?.disk ?? 0) * gibibyte, made }))).to.deep.equal([]);
    expect(await warningsOf(dev, host({ avail: ((first?.disk ?? 0) - 1) * gibibyte, made }))).to.have.length(1);
  });

  it("are none where the machines are not known, or nothing answers", async () => {
    expect(await warningsOf(dev, host({ avail: 0, isListed: false }))).to.deep.equal([]);
    expect(await warningsOf(dev, () => Promise.reject(new Error("ECONNREFUSED")))).to.deep.equal([]);
  });
});
