import { expect } from "chai";

import type { Actions } from "../../../../lib/rollout/actions.ts";
import type { DiskKey } from "../../../../lib/cluster/disk-keys.ts";
import { carryOut } from "../../../../lib/rollout/carry-out.ts";
import { nextPart, type DisksReading, type Part } from "../../../../lib/rollout/disks.ts";
import type { FirmwareStep } from "../../../../lib/rollout/step.ts";
import type { Timeouts } from "../../../../lib/rollout/surroundings.ts";
import { Problem } from "../../../../toolchain/problem.ts";
import { FakeCluster, Killed } from "../../../support/fake-cluster.ts";

const timeouts: Timeouts = { gate: 200, health: 200, drain: 200, boot: 400, restart: 200, person: 200, pause: 0 };

/** Runs the step once. A person updates the firmware when that is asked for, unless it was updated before. */
const run = async (
  cluster: FakeCluster,
  machine: string,
  around: { isUpdated?: boolean; person?: () => void } = {},
) => {
  const step: FirmwareStep = {
    ...{ kind: "firmware", name: `firmware/${machine}`, machine, isUpdated: around.isUpdated ?? false },
    ...{ what: "goes through an update of its firmware", out: machine, seconds: 1800 },
  };
  const killed = new AbortController();
  await carryOut(step, {
    machines: cluster.running.machines as Record<string, { role: "controlplane" | "worker" }>,
    actions: stopping(cluster.actions, killed),
    live: () => undefined,
    say: () => around.person?.(),
    signal: killed.signal,
    command: "npx hearth firmware dev",
    bootCommand: () => "",
    timeouts,
  });
};

/** Has nothing wait for a run that is killed. */
const stopping = (actions: Actions, killed: AbortController): Actions =>
  Object.fromEntries(
    Object.entries(actions).map(([name, action]) => [
      name,
      (...args: unknown[]) =>
        (action as (...all: unknown[]) => Promise<unknown>)(...args).catch((error: unknown) => {
          if (error instanceof Killed) killed.abort();
          throw error;
        }),
    ]),
  ) as unknown as Actions;

const once = (work: () => void): (() => void) => {
  let isDone = false;
  return () => {
    if (!isDone) work();
    isDone = true;
  };
};

const sealed = (): FakeCluster => {
  const cluster = new FakeCluster(3, 1);
  cluster.seal("wk01");
  return cluster;
};

const disksOf = (cluster: FakeCluster) => cluster.machines.get("wk01")?.disks;

describe("an update of firmware", () => {
  it("leaves the machine's disks open by a key that is sealed to the new one, and by no second key", async () => {
    const cluster = sealed();
    await run(cluster, "wk01", {
      person: once(() => {
        cluster.updateFirmware("wk01");
      }),
    });
    expect(cluster.violations).to.deep.equal([]);
    expect([...(disksOf(cluster)?.kept ?? [])]).to.deep.equal([[0, 1]]);
    expect(disksOf(cluster)?.opened).to.deep.equal({ slot: 0, keys: ["tpm"], failed: [] });
    expect(cluster.mostOut).to.equal(1);
  });

  it("goes on wherever it was killed, before the person came and afterwards", async () => {
    for (let until = 1; ; until += 1) {
      const cluster = sealed();
      const person = once(() => {
        cluster.updateFirmware("wk01");
      });
      cluster.untilKilled = until;
      const isKilled = await run(cluster, "wk01", { person }).then(
        () => false,
        (error: unknown) => {
          if (cluster.untilKilled > 0) throw error;
          return true;
        },
      );
      cluster.untilKilled = Infinity;
      cluster.settle();
      const isOver = disksOf(cluster)?.firmware === 1;
      // It may be at its end already, where only the person knows.
      if (isKilled) await run(cluster, "wk01", { isUpdated: isOver, person });
      expect(cluster.violations, `killed at ${until}`).to.deep.equal([]);
      expect([...(disksOf(cluster)?.kept ?? [])], `killed at ${until}`).to.deep.equal([[0, 1]]);
      if (!isKilled) return;
    }
  });

  it("takes the second key away where the TPM goes on as before, when the person says so", async () => {
    const cluster = sealed();
    const problem = await run(cluster, "wk01").catch((error: unknown) => error);
    expect(problem)
      .to.be.instanceOf(Problem)
      .with.property("message")
      .that.matches(/out of service.*--updated/s);
    expect(disksOf(cluster)?.configured).to.deep.equal([0, 2]);
    await run(cluster, "wk01", { isUpdated: true });
    expect([...(disksOf(cluster)?.kept ?? [])]).to.deep.equal([[0, 0]]);
  });

  it("asks nobody to touch the firmware of a machine whose disks did not get a second key", async () => {
    const cluster = sealed();
    const { disks } = cluster.actions;
    cluster.actions.disks = async (name) => {
      const found = await disks(name);
      const isPrepared = found.configured.includes("nodeID");
      return isPrepared
        ? {
            ...found,
            volumes: found.volumes.map((each) => ({ ...each, failed: ["error adding key slot 2 : no room"] })),
          }
        : found;
    };
    let isAsked = false;
    const problem = await run(cluster, "wk01", { person: () => (isAsked = true) }).catch((error: unknown) => error);
    expect(problem)
      .to.be.instanceOf(Problem)
      .with.property("message")
      .that.matches(/Do not update its firmware/);
    expect(isAsked).to.equal(false);
  });
});

describe("what is next for a machine whose firmware is updated", () => {
  const of = (configured: DiskKey[], slot: number, keys: string[], failed: string[] = []): DisksReading => ({
    configured,
    volumes: [{ name: "STATE", slot, keys, failed }],
  });
  const both = ["nodeID", "tpm"];
  const cases: [string, DisksReading, boolean, Part][] = [
    ["has a key in its TPM alone", of(["tpm"], 0, ["tpm"]), false, "prepare"],
    ["has it alone, and is updated", of(["tpm"], 0, ["tpm"]), true, "done"],
    ["is not encrypted", { configured: [], volumes: [] }, false, "done"],
    ["was given the second key, and has not started since", of(["tpm", "nodeID"], 0, ["tpm"]), false, "restart"],
    ["has both", of(["tpm", "nodeID"], 0, both), false, "wait"],
    ["has both, and is updated", of(["tpm", "nodeID"], 0, both), true, "finish"],
    ["is closed to its TPM", of(["tpm", "nodeID"], 2, both, ["error updating key slot 0 "]), false, "unseal"],
    ["lost the first key, and has not started since", of(["nodeID"], 2, both), false, "restart"],
    ["has the second key alone", of(["nodeID"], 2, ["nodeID"]), false, "seal"],
    ["is sealed again, and has not started since", of(["tpm", "nodeID"], 2, ["nodeID"]), false, "restart"],
    ["lost the second key, and has not started since", of(["tpm"], 2, both), false, "restart"],
    ["is sealed again", of(["tpm", "nodeID"], 2, both), false, "finish"],
  ];
  for (const [what, found, isUpdated, part] of cases)
    it(`is to ${part} where it ${what}`, () => {
      expect(nextPart(found, isUpdated)).to.equal(part);
    });
});
