import { expect } from "chai";
import fc from "fast-check";

import { parseConfig } from "../../../../infra/config/index.ts";
import { deriveLab, deriveStack, type StackConfig } from "../../../../lab/derive.ts";
import { changed, type Change } from "../../../support/changes.ts";
import { rawConfig } from "../../../support/stack.ts";

const virtual = (count: number, skip: number[] = [], first = 1): Change => [
  "pools",
  {
    "den-dev-gw": {
      ...{ platform: "proxmox", role: "worker", image: "standard", labels: { pool: "gw" } },
      ...{ count, skip, first, addresses: "10.20.0.31-10.20.0.90" },
      proxmox: { hosts: ["pve1", "pve2", "pve3"], vmIds: "2031-2090", cores: 2, memory: 4096, disk: 40 },
    },
  },
];

const nodesOf = (...changes: Change[]) => parseConfig("dev", changed("dev", ...changes)).nodes;

describe("a pool of machines", () => {
  it("is nodes that follow from their serial numbers", () => {
    const nodes = nodesOf(virtual(4));
    const made = Object.entries(nodes).filter(([name]) => name.startsWith("den-dev-gw"));
    expect(
      made.map(([name, node]) => [
        name,
        node.address,
        node.mac,
        "proxmox" in node && [node.proxmox.host, node.proxmox.vmId],
      ]),
    ).to.deep.equal([
      ["den-dev-gw01", "10.20.0.31", "BC:24:11:14:00:1F", ["pve1", 2031]],
      ["den-dev-gw02", "10.20.0.32", "BC:24:11:14:00:20", ["pve2", 2032]],
      ["den-dev-gw03", "10.20.0.33", "BC:24:11:14:00:21", ["pve3", 2033]],
      ["den-dev-gw04", "10.20.0.34", "BC:24:11:14:00:22", ["pve1", 2034]],
    ]);
    expect(nodes["den-dev-gw04"]?.labels).to.deep.equal({ pool: "gw" });
  });

  it("leaves its other nodes as they are when its count or what it skips changes", () => {
    const count = fc.integer({ min: 1, max: 60 });
    fc.assert(
      fc.property(count, count, fc.uniqueArray(count, { maxLength: 5 }), (before, after, gone) => {
        const [one, other] = [
          nodesOf(virtual(before)),
          nodesOf(
            virtual(
              after,
              gone.filter((each) => each <= after),
            ),
          ),
        ];
        for (const [name, node] of Object.entries(other)) if (name in one) expect(node).to.deep.equal(one[name]);
        const missing = gone.filter((each) => each <= after).length;
        expect(Object.keys(other)).to.have.lengthOf(3 + after - missing);
      }),
      { numRuns: 20 },
    );
  });

  it("begins at the serial number that it is told", () => {
    expect(Object.keys(nodesOf(virtual(2, [], 9)))).to.include.members(["den-dev-gw09", "den-dev-gw10"]);
  });

  it("is of metal, where each machine has a hardware address of its own", () => {
    const { nodes } = parseConfig(
      "prod",
      changed("prod", [
        "pools",
        {
          "den-prod-wk": {
            ...{ platform: "metal", role: "worker", image: "intel", installDisk: "/dev/nvme0n1", count: 2 },
            ...{ addresses: "10.30.0.21-10.30.0.29", macs: ["7c:83:34:30:00:21", "7C:83:34:30:00:22"] },
          },
        },
      ]),
    );
    expect(nodes["den-prod-wk01"]).to.deep.include({ address: "10.30.0.21", mac: "7C:83:34:30:00:21" });
    expect(nodes["den-prod-wk02"]).to.deep.include({ address: "10.30.0.22", mac: "7C:83:34:30:00:22" });
  });

  it("is single nodes in the lab, which has their machines", () => {
    const written = {
      ...Object.fromEntries(Object.entries(rawConfig("dev")).map(([key, value]) => [`hearth:${key}`, value])),
      "hearth:pools": virtual(2)[1],
    } as unknown as StackConfig;
    const derived = deriveStack(written, { stack: "dev", knownHosts: "", recipient: "age1" });
    expect(derived).not.to.have.property("hearth:pools");
    expect(derived["hearth:nodes"]["den-dev-gw02"]).to.deep.include({
      address: "127.20.0.32",
      mac: "BC:24:11:14:00:20",
    });
    const lab = deriveLab(written, {
      ...{ stack: "dev", dir: "/lab", repository: "/", programs: {}, data: {}, charts: [] },
      credentials: { proxmoxToken: "a@pve!b=c", cloudflareToken: "token", passphrase: "words" },
    });
    expect(lab.proxmox.nodes).to.deep.equal(["pve1", "pve2"]);
  });
});
