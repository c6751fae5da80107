import { expect } from "chai";

import { resourceTypes } from "../../../../components/resource-types.ts";
import { destroyedIn } from "../../../../operations/deploy/destroyed.ts";
import type { ProxmoxAnswer } from "../../../../lib/cluster/proxmox.ts";

const of = (type: string, name: string, pendingReplacement: boolean, inputs: Record<string, unknown>) => ({
  ...{ urn: `urn:pulumi:dev::hearth::${type}::${name}`, type, pendingReplacement },
  inputs,
});

/** A state with two virtual machines, of which the replacement of the first was begun. */
const state = {
  version: 3,
  deployment: {
    resources: [
      of(resourceTypes.virtualMachine, "wk01", false, { nodeName: "pve1", vmId: 2021 }),
      of(resourceTypes.machineConfiguration, "wk01", true, { node: "10.20.0.21" }),
      of(resourceTypes.virtualMachine, "wk02", false, { nodeName: "pve1", vmId: 2022 }),
      of(resourceTypes.machineConfiguration, "wk02", false, { node: "10.20.0.22" }),
    ],
  },
};

const absent = { status: 500, reason: "Configuration file 'nodes/pve1/qemu-server/2021.conf' does not exist" };

/** The machines that are gone where Proxmox lists these, and says this of any other. */
const gone = async (listed: number[], other: { status: number; reason: string }): Promise<string[]> => {
  const ask = (path: string): Promise<ProxmoxAnswer> =>
    Promise.resolve(
      path.startsWith("/cluster/resources")
        ? { status: 200, reason: "OK", data: listed.map((vmid) => ({ vmid, node: "pve1" })) }
        : { ...other, data: undefined },
    );
  return (await destroyedIn(state, ask)).map(({ name }) => name);
};

describe("a virtual machine that an interrupted update was to destroy", () => {
  it("is gone where Proxmox has no such machine, and no other is", async () => {
    expect(await gone([], absent)).to.deep.equal(["wk01"]);
  });

  it("is not gone where Proxmox lists it, or does not say", async () => {
    expect(await gone([2021], absent)).to.deep.equal([]);
    expect(await gone([], { status: 403, reason: "Permission check failed" })).to.deep.equal([]);
    expect(await gone([], { status: 595, reason: "No route to host" })).to.deep.equal([]);
  });
});
