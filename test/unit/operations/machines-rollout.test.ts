import { expect } from "chai";

import { planRollout } from "../../../lib/rollout/plan.ts";
import type { Timeouts } from "../../../lib/rollout/surroundings.ts";
import { carryOutRollout, removedNodes } from "../../../operations/deploy/rollout.ts";
import { FakeCluster } from "../../support/fake-cluster.ts";

const timeouts: Timeouts = { gate: 5000, health: 5000, drain: 5000, boot: 5000, restart: 5000, person: 5000, pause: 0 };

const urnOf = (name: string): string =>
  `urn:pulumi:dev::hearth::talos:machine/configurationApply:ConfigurationApply::${name}`;

/** Carries a rollout out, as a deployment does that begins now. */
const deploy = async (cluster: FakeCluster, waits = timeouts): Promise<void> => {
  const changes = cluster.wants("v1.13.8", "v1.36.3");
  const names = [...new Set([...cluster.desired.keys(), ...cluster.recorded])];
  const urns = Object.fromEntries(names.map((name) => [name, [urnOf(name)]]));
  const plan = planRollout(changes, cluster.running);
  expect(plan.refusals).to.deep.equal([]);
  const named = (all: readonly string[]): string[] => names.filter((name) => all.includes(urnOf(name)));
  await carryOutRollout(
    plan,
    cluster,
    { ...changes, targets: urns, deletions: urns, joining: {}, registrations: [], taints: {} },
    {
      actions: cluster.actions,
      engine: {
        target: async (all) => {
          for (const name of named(all)) await cluster.actions.configure(name);
        },
        remove: async (all, forgotten) => {
          for (const name of named(all)) await cluster.actions.remove(name, forgotten.includes(urnOf(name)));
        },
        update: async () => {
          for (const [to, from] of cluster.renamed) if (cluster.recorded.has(from)) await cluster.actions.configure(to);
        },
        forget: async (all) => {
          for (const name of named(all)) await cluster.actions.forget(name);
        },
        snapshot: () => Promise.resolve(),
      },
      display: { live: () => undefined, line: () => undefined },
      signal: cluster.death.signal,
      ...{ command: "npx hearth deploy dev", bootCommand: (machine: string) => `npx hearth boot dev ${machine}` },
      options: {},
      timeouts: waits,
      recorded: Object.fromEntries(
        [...cluster.recorded].map((name) => [name, { role: name.startsWith("cp") ? "controlplane" : "worker" }]),
      ),
    },
  );
  const nodes = [...cluster.machines].map(([name, { mark, isCordoned }]) => ({ name, mark, isCordoned }));
  const [desired, recorded] = [[...cluster.desired.keys()], [...cluster.recorded]];
  for (const name of removedNodes(nodes, { desired, recorded, removed: [] })) await cluster.actions.deleteNode(name);
};

const failure = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "it succeeded",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );

/** Expects that the cluster has the machines of the stack file, all in service, and never had less than it needs. */
const expectAsDesired = (cluster: FakeCluster, when: string): void => {
  const names = [...cluster.desired.keys()].sort();
  expect(cluster.violations, when).to.deep.equal([]);
  expect(cluster.mostOut, when).to.be.at.most(1);
  expect([...cluster.machines.keys()].sort(), when).to.deep.equal(names);
  expect([...cluster.recorded].sort(), when).to.deep.equal(names);
  expect([...cluster.members].sort(), when).to.deep.equal(
    names.filter((name) => name.startsWith("cp")).map((name) => [name, true]),
  );
  for (const [name, { mark, isCordoned, isGone }] of cluster.machines)
    expect({ name, mark, isCordoned, isGone: isGone ?? false }, when).to.deep.equal({
      ...{ name, mark: undefined, isCordoned: false, isGone: false },
    });
  expect([...cluster.outdated], when).to.deep.equal([]);
  for (const [name, { isServerOutdated }] of cluster.machines)
    expect([name, isServerOutdated ?? false], when).to.deep.equal([name, false]);
};

/** A cluster of some control planes that is to have others, and workers. */
const from = (planes: number, to: readonly string[], workers = 1): FakeCluster => {
  const cluster = new FakeCluster(planes, workers);
  for (const name of [...cluster.desired.keys()])
    if (name.startsWith("cp") && !to.includes(name)) cluster.desired.delete(name);
  for (const name of to) cluster.desired.set(name, "controlplane");
  return cluster;
};

const replacing = (...names: string[]): FakeCluster => {
  const cluster = new FakeCluster(3, 1);
  for (const name of names) cluster.outdated.add(name);
  return cluster;
};

const renaming = (...names: [from: string, to: string][]): FakeCluster => {
  const cluster = new FakeCluster(3, 2);
  for (const [from, to] of names) cluster.rename(from, to);
  return cluster;
};

const reconfiguring = (...names: string[]): FakeCluster => {
  const cluster = new FakeCluster(3, 1);
  for (const name of names) Object.assign(cluster.machines.get(name) ?? {}, { isServerOutdated: true });
  return cluster;
};

/** Machines of metal that get SecureBoot. */
const securing = (...names: string[]): FakeCluster => {
  const cluster = replacing(...names);
  for (const name of names) cluster.secure.add(name);
  return cluster;
};

const unsecuring = (...names: string[]): FakeCluster => {
  const cluster = replacing(...names);
  for (const name of names) Object.assign(cluster.machines.get(name) ?? {}, { isSecureBoot: true });
  return cluster;
};

const withLost = (cluster: FakeCluster, name: string): FakeCluster => {
  cluster.lose(name);
  return cluster;
};

const cases: Record<string, () => FakeCluster> = {
  "from one control plane to three": () => from(1, ["cp01", "cp02", "cp03"]),
  "from three control planes to one": () => from(3, ["cp02"]),
  "from three control planes to five": () => from(3, ["cp01", "cp02", "cp03", "cp04", "cp05"]),
  "from three control planes to three others, the bootstrap node and the leader among them": () =>
    from(3, ["cp04", "cp05", "cp06"]),
  "one new control plane in place of a lost one": () => withLost(from(3, ["cp01", "cp03", "cp04"]), "cp02"),
  "a control plane and a worker that are replaced": () => replacing("cp01", "wk01"),
  "a control plane with another name": () => renaming(["cp02", "cp09"]),
  "a worker with another name": () => renaming(["wk01", "wk09"]),
  "other settings of all API servers": () => reconfiguring("cp01", "cp02", "cp03"),
  "all control planes, replaced": () => replacing("cp01", "cp02", "cp03"),
  "SecureBoot turned on for a control plane and a worker": () => securing("cp01", "wk01"),
  "SecureBoot turned off for all control planes": () => unsecuring("cp01", "cp02", "cp03"),
};

describe("a deployment that changes which machines there are", () => {
  for (const [what, make] of Object.entries(cases))
    it(`goes through with ${what}, and on from wherever it was killed`, async () => {
      const unkilled = make();
      const losing = unkilled.violations.length;
      await deploy(unkilled);
      expectAsDesired(unkilled, "unkilled");
      expect(losing).to.equal(0);
      const goesOn = async (killedAt: number): Promise<void> => {
        const cluster = make();
        cluster.untilKilled = killedAt;
        await failure(deploy(cluster));
        cluster.revive();
        await deploy(cluster);
        cluster.settle();
        expectAsDesired(
          cluster,
          `killed at ${killedAt}, after ${cluster.calls.slice(0, (killedAt + 1) / 2).at(-1) ?? ""}`,
        );
      };
      // They mostly wait, so they run beside each other.
      await Promise.all(unkilled.calls.flatMap((_, index) => [goesOn(2 * index + 1), goesOn(2 * index + 2)]));
    }).timeout(120_000);

  it("takes a machine out of etcd after it was drained and before it is destroyed, and a leader only after it gave that up", async () => {
    const cluster = from(3, ["cp02", "cp03", "cp04"]);
    await deploy(cluster);
    const order = [
      "create cp04",
      "evict pod-of-cp01",
      "forfeitLeadership cp01",
      "leaveEtcd cp01",
      "destroy cp01",
      "deleteNode cp01",
    ];
    expect(cluster.calls.filter((call) => order.includes(call))).to.deep.equal(order);
  });

  it("wipes a machine whose SecureBoot changes after it was drained, and configures it when a person has booted it so", async () => {
    const cluster = securing("cp01");
    await deploy(cluster);
    const order = [
      "evict pod-of-cp01",
      "leaveEtcd cp01",
      "wipe cp01",
      "forget cp01",
      "boot cp01",
      "create cp01",
      "putBack cp01",
    ];
    const seen = cluster.calls.filter((call) => order.includes(call));
    expect(seen.indexOf("create cp01")).to.equal(seen.lastIndexOf("boot cp01") + 1);
    expect(seen.filter((call, index) => call !== "boot cp01" || seen[index - 1] === "forget cp01")).to.deep.equal(
      order,
    );
    expect(cluster.calls).to.include("pull cp01").and.not.include("destroy cp01");
  });

  it("wipes no machine whose new image cannot be pulled", async () => {
    const cluster = securing("cp01");
    cluster.missing = "factory.example/metal-installer-secureboot/abc:v1.13.8";
    expect(await failure(deploy(cluster)))
      .to.contain("cp01 cannot pull")
      .and.contain("Nothing was taken out of service");
    expect(cluster.calls.filter((call) => /^(takeOut|wipe)/.test(call))).to.deep.equal([]);
  });

  it("does not configure a machine that was booted without SecureBoot, takes no other one out, and says what to do", async () => {
    const cluster = securing("cp01", "cp02");
    cluster.personComes = Infinity;
    const said = await failure(deploy(cluster, { ...timeouts, person: 40 }));
    expect(said)
      .to.contain("cp02 is out of service, and no other machine will be taken out")
      .and.contain("it waits in maintenance mode, and has SecureBoot off")
      .and.contain("turn SecureBoot on and delete the keys")
      .and.contain("npx hearth boot dev cp02 names")
      .and.contain("run npx hearth deploy dev again");
    expect(cluster.calls).to.not.contain("create cp02").and.not.contain("takeOut cp01");
    Object.assign(cluster.machines.get("cp02") ?? {}, { visiting: 2 });
    cluster.personComes = 3;
    await deploy(cluster);
    cluster.settle();
    expectAsDesired(cluster, "in the second run");
  });

  it("does not configure a machine that comes back as it was, for its reset failed", async () => {
    const cluster = securing("wk01");
    const { forget } = cluster.actions;
    cluster.actions.forget = async (name) => {
      await forget(name);
      Object.assign(cluster.machines.get(name) ?? {}, { isGone: false });
    };
    const why = "wk01 answers as a machine of the cluster, and has SecureBoot off, and has to be wiped";
    expect(await failure(deploy(cluster)))
      .to.contain(why)
      .and.contain("its reset failed");
    expect(cluster.calls).to.not.contain("create wk01");
    // The next run finds a machine that is to be created.
    cluster.actions.forget = forget;
    expect(await failure(deploy(cluster)))
      .to.contain(why)
      .and.contain("talosctl reset");
    expect(cluster.calls).to.not.contain("create wk01");
  });

  it("keeps in the state what was not wiped", async () => {
    const cluster = securing("wk01");
    cluster.actions.wipe = () => Promise.resolve();
    expect(await failure(deploy(cluster, { ...timeouts, boot: 40 }))).to.contain("wk01 is drained, and was not wiped");
    expect(cluster.recorded.has("wk01")).to.equal(true);
  });

  it("restarts an API server while its machine's pods go on, and the next one when it serves again", async () => {
    const cluster = reconfiguring("cp01", "cp02", "cp03");
    await deploy(cluster);
    const calls = cluster.calls.filter((call) => /^(configure|takeOut|evict)/.test(call));
    expect(calls).to.deep.equal(["configure cp02", "configure cp03", "configure cp01"]);
    expect([...cluster.machines.values()].map(({ starts = 0 }) => starts)).to.deep.equal([1, 1, 1, 0]);
  });

  it("drains a machine before it gets another name, and deletes its former node when it is back under the new one", async () => {
    const cluster = renaming(["wk01", "wk09"]);
    await deploy(cluster);
    const order = ["takeOut wk01", "evict pod-of-wk01", "rename wk01", "machine wk09", "deleteNode wk01"];
    const seen = cluster.calls.filter((call) => order.includes(call));
    expect([...new Set(seen)]).to.deep.equal(order);
  });

  it("keeps the former node of a machine that does not come back under its new name, and takes no other one out", async () => {
    const cluster = renaming(["wk01", "wk08"]);
    const { configure } = cluster.actions;
    cluster.actions.configure = async (name) => {
      await configure(name);
      Object.assign(cluster.machines.get(name) ?? {}, { booting: Infinity });
    };
    expect(await failure(deploy(cluster, { ...timeouts, boot: 40 }))).to.contain("wk08 is out of service");
    expect(cluster.calls).to.not.contain("deleteNode wk01").and.not.contain("takeOut wk02");
  });

  it("gives a machine another name only where nothing else changes of any machine", () => {
    const refusal = (cluster: FakeCluster, talos = "v1.13.8") =>
      planRollout(cluster.wants(talos, "v1.36.3"), cluster.running).refusals.join();
    expect(refusal(renaming(["wk01", "wk09"]))).to.equal("");
    const why = "wk01 would get the name wk09 together with other changes of machines";
    expect(refusal(renaming(["wk01", "wk09"], ["wk02", "wk08"]))).to.contain(why);
    expect(refusal(renaming(["wk01", "wk09"]), "v1.13.9")).to.contain(why);
    const joined = renaming(["wk01", "wk09"]);
    joined.desired.set("wk03", "worker");
    expect(refusal(joined)).to.contain(why);
  });

  it("takes none out while another one is not well, and says which", async () => {
    const cluster = from(3, ["cp02"]);
    Object.assign(cluster.machines.get("wk01") ?? {}, { booting: Infinity });
    expect(await failure(deploy(cluster, { ...timeouts, gate: 40 })))
      .to.contain("cp03 stays in service")
      .and.contain("The node wk01 is not Ready");
    expect(cluster.members.size).to.equal(3);
  });

  it("does not forget a machine that runs: whose node is Ready, or that answers again", async () => {
    const silent = (answer: (cluster: FakeCluster) => void): FakeCluster => {
      const cluster = withLost(from(3, ["cp01", "cp03", "cp04"]), "cp02");
      const { machine, readings } = cluster.actions;
      cluster.actions.readings = async (names) => {
        const read = await readings(names);
        for (const node of read.nodes) node.isReady = true;
        return read;
      };
      cluster.actions.machine = (name) => {
        if (name === "cp02") answer(cluster);
        return machine(name);
      };
      return cluster;
    };
    const ready = silent(() => undefined);
    expect(await failure(deploy(ready, { ...timeouts, gate: 40 }))).to.contain("its node is Ready, so it runs");
    const back = silent((cluster) => Object.assign(cluster.machines.get("cp02") ?? {}, { isGone: false }));
    expect(await failure(deploy(back))).to.contain("cp02 answers again, and was left as it is");
    for (const { members } of [ready, back]) expect(members.has("cp02")).to.equal(true);
  });
});
