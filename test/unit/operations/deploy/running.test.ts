import { expect } from "chai";
import { stringify } from "yaml";

import { resourceTypes } from "../../../../components/resource-types.ts";
import type { Talosctl } from "../../../../lib/cluster/talosctl.ts";
import { requireNoFirmware, undestroyedMachines, type RunningCluster } from "../../../../operations/deploy/running.ts";
import { messageOf } from "../../../../toolchain/problem.ts";

const tpm = { slot: 0, tpm: {} };
const second = { slot: 2, nodeID: {} };

/** A machine whose STATE has keys, as talosctl prints its configuration and volumes. */
const disks = (...keys: object[]) => ({
  machineconfig: stringify({
    spec: stringify({
      ...{ apiVersion: "v1alpha1", kind: "VolumeConfig", name: "STATE" },
      encryption: { provider: "luks2", keys },
    }),
  }),
  volumestatus: stringify({
    metadata: { id: "STATE" },
    spec: { encryptionProvider: "luks2", encryptionSlot: 0, configuredEncryptionKeys: ["tpm"] },
  }),
});

/** What stops a deployment, of machines that answer so by their addresses. */
const stopped = async (machines: Record<string, ReturnType<typeof disks> | undefined>): Promise<string> => {
  const talos: Partial<Talosctl> = {
    once: (address, [, what]) => {
      const found = machines[address]?.[what as "machineconfig" | "volumestatus"];
      return found === undefined ? Promise.reject(new Error("connection refused")) : Promise.resolve(found);
    },
  };
  const recorded = Object.fromEntries(Object.keys(machines).map((address) => [address, { address, isSealed: true }]));
  const cluster = { access: { talos }, recorded } as Partial<RunningCluster> as RunningCluster;
  return requireNoFirmware(cluster).then(() => "", messageOf);
};

describe("a machine whose replacement an update had begun", () => {
  const of = (type: string, pendingReplacement: boolean) => ({
    ...{ urn: `urn:pulumi:dev::hearth::${type}::wk01`, type, pendingReplacement },
    inputs: { node: "10.20.0.21" },
  });
  const found = (isDestroyed: boolean, isMade: boolean) =>
    Object.keys(
      undestroyedMachines({
        version: 3,
        deployment: {
          resources: [of(resourceTypes.virtualMachine, isDestroyed), of(resourceTypes.machineConfiguration, !isMade)],
        },
      }),
    );

  it("may still be there where its configuration alone is gone from the state", () => {
    expect(found(false, false)).to.deep.equal(["wk01"]);
  });

  it("is not where its virtual machine is gone as well, nor where both were made", () => {
    expect(found(true, false)).to.deep.equal([]);
    expect(found(false, true)).to.deep.equal([]);
  });
});

describe("a deployment that has the lease", () => {
  it("ends where an update of firmware was begun meanwhile, and names the machines", async () => {
    const said = await stopped({ cp01: disks(tpm), cp02: disks(tpm, second) });
    expect(said).to.contain("cp02 is in the midst of an update of its firmware").and.not.contain("cp01");
  });

  it("goes on where there is none, also where a machine does not answer", async () => {
    expect(await stopped({ cp01: disks(tpm), cp02: undefined })).to.equal("");
  });
});
