import { expect } from "chai";

import type { DiskKey } from "../../../../lib/cluster/disk-keys.ts";
import { carryOut } from "../../../../lib/rollout/carry-out.ts";
import { failures, nextPart, refusal, type DisksReading, type Part } from "../../../../lib/rollout/disks.ts";
import type { FirmwareStep } from "../../../../lib/rollout/step.ts";
import type { Timeouts } from "../../../../lib/rollout/surroundings.ts";
import { Problem } from "../../../../toolchain/problem.ts";
import { FakeCluster } from "../../../support/fake-cluster.ts";

const timeouts: Timeouts = { gate: 9000, health: 9000, drain: 9000, boot: 9000, restart: 9000, person: 9000, pause: 0 };

/** For a run that waits in vain. */
const short: Timeouts = { ...timeouts, restart: 100, person: 100 };

/** Runs the step once. A person updates the firmware when that is asked for, unless it was updated before. */
const run = async (
  cluster: FakeCluster,
  machine: string,
  around: { isUpdated?: boolean; person?: (() => void) | undefined; timeouts?: Timeouts } = {},
) => {
  const step: FirmwareStep = {
    ...{ kind: "firmware", name: `firmware/${machine}`, machine, isUpdated: around.isUpdated ?? false },
    ...{ what: "goes through an update of its firmware", out: machine, seconds: 1800 },
  };
  await carryOut(step, {
    machines: cluster.running.machines as Record<string, { role: "controlplane" | "worker" }>,
    actions: cluster.actions,
    live: () => undefined,
    say: () => around.person?.(),
    signal: cluster.death.signal,
    command: "npx hearth firmware dev",
    bootCommand: () => "",
    timeouts: around.timeouts ?? timeouts,
  });
};

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
      cluster.revive();
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
    const problem = await run(cluster, "wk01", { timeouts: short }).catch((error: unknown) => error);
    expect(problem)
      .to.be.instanceOf(Problem)
      .with.property("message")
      .that.matches(/out of service.*--updated/s);
    expect(disksOf(cluster)?.configured).to.deep.equal([0, 2]);
    await run(cluster, "wk01", { isUpdated: true });
    expect([...(disksOf(cluster)?.kept ?? [])]).to.deep.equal([[0, 0]]);
  });

  /** What a run of the step says, where its disks are read otherwise than they are. */
  const messageWith = async (
    cluster: FakeCluster,
    change: (found: DisksReading) => Partial<DisksReading>,
    person?: () => void,
    waits = timeouts,
  ): Promise<string> => {
    const { disks } = cluster.actions;
    cluster.actions.disks = async (name) => {
      const found = await disks(name);
      return { ...found, ...change(found) };
    };
    return run(cluster, "wk01", { person, timeouts: waits }).then(
      () => "",
      (error: unknown) => {
        expect(error).to.be.instanceOf(Problem);
        return (error as Problem).message;
      },
    );
  };

  const failing = (text: string) => (found: DisksReading) => ({
    volumes: found.volumes.map((each) => ({ ...each, failed: [text] })),
  });

  it("takes the second key away only when the TPM has opened the disks at a start of its own", async () => {
    const cluster = sealed();
    const disks = disksOf(cluster);
    const { reboot, giveDiskKeys } = cluster.actions;
    let [isSealing, after] = [false, 0];
    cluster.actions.giveDiskKeys = async (name, keys) => {
      isSealing ||= disks?.firmware === 1 && keys.join() === "tpm,nodeID";
      await giveDiskKeys(name, keys);
    };
    cluster.actions.reboot = async (name) => {
      // The second start from there measures something else: the firmware has finished its update.
      if (isSealing && ++after === 2 && disks) disks.firmware = 2;
      await reboot(name);
    };
    const person = once(() => {
      cluster.updateFirmware("wk01");
    });
    await run(cluster, "wk01", { person });
    expect(cluster.violations).to.deep.equal([]);
    expect([...(disks?.kept ?? [])]).to.deep.equal([[0, 2]]);
  });

  it("leaves a machine as it is while another one is out of service by a rollout, Ready or not", async () => {
    for (const left of ["wk02", "cp02"]) {
      const cluster = new FakeCluster(3, 2);
      cluster.seal("wk01");
      await cluster.actions.takeOut(left);
      const problem = await run(cluster, "wk01").catch((error: unknown) => (error as Error).message);
      expect(problem).to.contain(`wk01 was left as it is, for ${left} is out of service`);
      expect(cluster.mostOut).to.equal(1);
      expect(cluster.machines.get("wk01")?.mark).to.equal(undefined);
    }
  });

  it("has a machine as it was where its disks take no second key, and asks nobody to touch its firmware", async () => {
    const cluster = sealed();
    let isAsked = false;
    const said = await messageWith(
      cluster,
      (found) =>
        found.configured.includes("nodeID")
          ? failing("error adding key slot 2 *keys.NodeIDKeyHandler: bad UUID")(found)
          : {},
      () => (isAsked = true),
    );
    expect(said).to.match(
      /wk01 is in service again as it was.*Do not update its firmware:\n {2}STATE: error adding key slot 2 .*bad UUID/s,
    );
    expect(isAsked).to.equal(false);
    expect([...(disksOf(cluster)?.kept ?? [])]).to.deep.equal([[0, 0]]);
    expect(cluster.machines.get("wk01")?.mark).to.equal(undefined);
  });

  it("ends with Talos's reason where the TPM takes no key, as with SecureBoot off, and the machine opens by the second one", async () => {
    const cluster = sealed();
    const isSealing = { is: false };
    const { giveDiskKeys } = cluster.actions;
    cluster.actions.giveDiskKeys = async (name, keys) => {
      isSealing.is = disksOf(cluster)?.firmware === 1 && keys.includes("tpm");
      await giveDiskKeys(name, keys);
    };
    const person = once(() => {
      cluster.updateFirmware("wk01");
    });
    const text = "error adding key slot 0 *keys.TPMKeyHandler: SecureBoot is disabled";
    const said = await messageWith(cluster, (found) => (isSealing.is ? failing(text)(found) : {}), person);
    expect(said).to.match(
      /wk01 is out of service.*\n {2}STATE: error adding key slot 0 .*SecureBoot is disabled\n.*turn it on/s,
    );
    expect(disksOf(cluster)?.kept.get(2)).to.equal("any");
  });

  it("says so where the second key could not be taken away", async () => {
    const cluster = sealed();
    const isOver = { is: false };
    const said = await messageWith(
      cluster,
      (found) =>
        isOver.is && !found.configured.includes("nodeID") ? failing("error removing key slot 2: EIO")(found) : {},
      once(() => {
        isOver.is = true;
        cluster.updateFirmware("wk01");
      }),
    );
    expect(said).to.contain("STATE: error removing key slot 2: EIO");
  });

  it("asks nobody to touch the firmware while a volume is not open", async () => {
    let isAsked = false;
    const said = await messageWith(
      sealed(),
      () => ({ closed: ["u-data"] }),
      () => (isAsked = true),
      short,
    );
    expect(said).to.contain("wk01 is out of service, and u-data of it is not open");
    expect(isAsked).to.equal(false);
  });

  it("tells a person to leave the firmware alone when somebody takes the second key away", async () => {
    const cluster = sealed();
    const person = once(() => {
      const disks = disksOf(cluster);
      if (disks) disks.configured = [0];
    });
    const said = await run(cluster, "wk01", { person }).catch((error: unknown) => (error as Error).message);
    expect(said).to.match(/somebody took the second key .* away.*Neither touch its firmware nor restart it/s);
  });

  it("says that the machine is out of service, and the command, where a call fails", async () => {
    for (const [name, what] of Object.entries({ giveDiskKeys: "giving its disks a key", reboot: "its restart" })) {
      const cluster = sealed();
      Object.assign(cluster.actions, { [name]: () => Promise.reject(new Error("EOF")) });
      const said = await run(cluster, "wk01").catch((error: unknown) => (error as Error).message);
      expect(said).to.match(
        new RegExp(`wk01 is out of service, and ${what}.*failed: EOF\\nRun npx hearth firmware dev again`),
      );
    }
  });
});

describe("what keeps an update of firmware from being begun", () => {
  const sealed: DisksReading = {
    ...{ configured: ["tpm"], closed: [], foreign: [] },
    volumes: [{ name: "STATE", slot: 0, keys: ["tpm"], failed: [] }],
  };
  const begin = { command: "npx hearth firmware dev wk01", isUpdated: false };
  const why = (change: Partial<DisksReading>, isUpdated = false): string | undefined =>
    refusal("wk01", { ...sealed, ...change }, { ...begin, isUpdated });

  it("is nothing where a TPM opens all disks", () => {
    expect(why({})).to.equal(undefined);
  });

  it("is that no TPM opens them, that none was begun which could be over, or that they have keys of their own", () => {
    expect(why({ configured: [] })).to.contain("not opened by a TPM");
    expect(why({}, true)).to.contain("No update of the firmware of wk01 was begun");
    expect(why({ configured: ["tpm", "nodeID"] }, true)).to.equal(undefined);
    expect(why({ closed: ["u-data"] })).to.contain("u-data of wk01 should be encrypted, and open");
    expect(why({ foreign: ["VolumeConfig STATE: `tpm.options`"] })).to.contain("`tpm.options`");
    expect(
      why({ volumes: [{ name: "STATE", slot: 0, keys: ["tpm"], failed: ["error adding key slot 1 x: y"] }] }),
    ).to.contain("Restart it first");
  });

  it("are failures that no update explains: those of other keys, and of the TPM's where it opens another volume", () => {
    const closed = "error updating key slot 0 *keys.TPMKeyHandler: x";
    const volumes = (slot: number, other: number, text: string): DisksReading => ({
      ...sealed,
      volumes: [
        { name: "STATE", slot, keys: [], failed: [] },
        { name: "EPHEMERAL", slot: other, keys: [], failed: [text] },
      ],
    });
    expect(failures(volumes(2, 2, closed))).to.deep.equal([]);
    expect(failures(volumes(0, 1, closed))).to.deep.equal([`EPHEMERAL: ${closed}`]);
    expect(failures(volumes(2, 2, "error updating key slot 1 x"))).to.deep.equal([
      "EPHEMERAL: error updating key slot 1 x",
    ]);
  });
});

describe("what is next for a machine whose firmware is updated", () => {
  const of = (configured: DiskKey[], slot: number, keys: string[], failed: string[] = []): DisksReading => ({
    configured,
    volumes: [{ name: "STATE", slot, keys, failed }],
    ...{ closed: [], foreign: [] },
  });
  const both = ["nodeID", "tpm"];
  const cases: [string, DisksReading, boolean, Part][] = [
    ["has a key in its TPM alone", of(["tpm"], 0, ["tpm"]), false, "prepare"],
    ["has it alone, and is updated", of(["tpm"], 0, ["tpm"]), true, "done"],
    ["is not encrypted", { configured: [], volumes: [], closed: [], foreign: [] }, false, "done"],
    ["was given the second key, and has not started since", of(["tpm", "nodeID"], 0, ["tpm"]), false, "restart"],
    ["has both", of(["tpm", "nodeID"], 0, both), false, "wait"],
    ["has both, and is updated", of(["tpm", "nodeID"], 0, both), true, "finish"],
    ["is closed to its TPM", of(["tpm", "nodeID"], 2, both, ["error updating key slot 0 "]), false, "unseal"],
    ["lost the first key, and has not started since", of(["nodeID"], 2, both), false, "restart"],
    ["has the second key alone", of(["nodeID"], 2, ["nodeID"]), false, "seal"],
    ["is sealed again, and has not started since", of(["tpm", "nodeID"], 2, ["nodeID"]), false, "restart"],
    ["lost the second key, and has not started since", of(["tpm"], 2, both), false, "restart"],
    ["is sealed again, and was not opened by that key yet", of(["tpm", "nodeID"], 2, both), false, "restart"],
  ];
  for (const [what, found, isUpdated, part] of cases)
    it(`is to ${part} where it ${what}`, () => {
      expect(nextPart(found, isUpdated)).to.equal(part);
    });
});
