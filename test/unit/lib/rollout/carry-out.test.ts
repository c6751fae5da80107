import { expect } from "chai";

import { carryOut } from "../../../../lib/rollout/carry-out.ts";
import { planRollout } from "../../../../lib/rollout/plan.ts";
import type { ReplaceStep } from "../../../../lib/rollout/step.ts";
import type { Timeouts } from "../../../../lib/rollout/surroundings.ts";
import { FakeCluster } from "../../../support/fake-cluster.ts";

const timeouts: Timeouts = { gate: 5000, health: 5000, drain: 5000, boot: 5000, restart: 5000, person: 5000, pause: 0 };

/** For a run that waits in vain. */
const short: Timeouts = { gate: 40, health: 40, drain: 40, boot: 40, restart: 40, person: 40, pause: 0 };

/** Carries out all steps to a state, as a run does that begins now. */
const run = async (
  cluster: FakeCluster,
  version = "v1.13.9",
  kubernetes = "v1.36.3",
  waits: Timeouts = timeouts,
  live: (text: string) => void = () => undefined,
): Promise<void> => {
  const { steps } = planRollout(cluster.wants(version, kubernetes), cluster.running);
  for (const step of steps) {
    await carryOut(step, {
      machines: Object.fromEntries([...cluster.machines].map(([name, { role }]) => [name, { role }])),
      actions: cluster.actions,
      ...{ live, say: () => undefined },
      signal: cluster.death.signal,
      ...{ command: "npx hearth deploy dev", bootCommand: (machine: string) => `npx hearth boot dev ${machine}` },
      timeouts: waits,
    });
  }
};

const failure = async (work: Promise<void>): Promise<string> =>
  work.then(
    () => "it succeeded",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );

const stateOf = ({ machines, kubernetes }: FakeCluster) => ({
  kubernetes,
  machines: [...machines].map(([name, { version, mark, isCordoned, isOutdated }]) => ({
    ...{ name, version, mark, isCordoned, isOutdated },
  })),
});

describe("a rollout that is carried out", () => {
  it("upgrades all machines, never two out of service at once, and leaves all in service", async () => {
    const cluster = new FakeCluster(3, 2);
    await run(cluster, "v1.13.9", "v1.36.4");
    expect(cluster.mostOut).to.equal(1);
    expect(cluster.kubernetes.lowest).to.equal("v1.36.4");
    for (const { version, mark, isCordoned } of stateOf(cluster).machines)
      expect({ version, mark, isCordoned }).to.deep.equal({ version: "v1.13.9", mark: undefined, isCordoned: false });
  });

  it("evicts before it acts, and puts back after the machine is back", async () => {
    const cluster = new FakeCluster(1, 1);
    await run(cluster);
    const order = ["takeOut wk01", "evict pod-of-wk01", "install wk01", "putBack wk01"].map((call) =>
      cluster.calls.indexOf(call),
    );
    expect(order).to.deep.equal([...order].sort((a, b) => a - b));
    expect(order).to.not.contain(-1);
  });

  it("replaces no machine as lost whose node is Ready: its Talos API alone may be silent", async () => {
    const cluster = new FakeCluster(3, 0);
    await cluster.actions.takeOut("cp02");
    const { machine } = cluster.actions;
    cluster.actions.machine = (name) =>
      name === "cp02" ? Promise.reject(new Error("connection refused")) : machine(name);
    const step: ReplaceStep = {
      ...{ kind: "replace", name: "replace/cp02", machine: "cp02", isLost: true },
      ...{ role: "controlplane", former: "controlplane" },
      ...{ secureBoot: true, what: "", out: "cp02", seconds: 1 },
    };
    const said = await failure(
      carryOut(step, {
        machines: { cp01: { role: "controlplane" }, cp02: { role: "controlplane" }, cp03: { role: "controlplane" } },
        actions: cluster.actions,
        ...{ live: () => undefined, say: () => undefined, signal: new AbortController().signal },
        ...{ command: "npx hearth deploy dev", bootCommand: () => "", timeouts: short },
      }),
    );
    expect(said).to.contain("cp02 is left as it is").and.to.contain("so it runs");
    expect(cluster.members.has("cp02")).to.equal(true);
    expect(cluster.violations).to.deep.equal([]);
  });

  it("drains nothing on a cluster of one machine", async () => {
    const cluster = new FakeCluster(1, 0);
    await run(cluster);
    expect(cluster.calls.filter((call) => /^(takeOut|evict)/.test(call))).to.deep.equal([]);
    expect(cluster.machines.get("cp01")?.version).to.equal("v1.13.9");
  });

  it("leaves a node cordoned that a person cordoned", async () => {
    const cluster = new FakeCluster(1, 1);
    Object.assign(cluster.machines.get("wk01") ?? {}, { isCordoned: true });
    await run(cluster);
    expect(cluster.machines.get("wk01")).to.deep.include({ isCordoned: true, mark: undefined, version: "v1.13.9" });
  });

  it("takes nothing out while another machine is not well", async () => {
    const cluster = new FakeCluster(3, 1);
    Object.assign(cluster.machines.get("wk01") ?? {}, { booting: Infinity });
    expect(await failure(run(cluster, "v1.13.9", "v1.36.3", short)))
      .to.contain("cp02 stays in service")
      .and.contain("The node wk01 is not Ready");
    expect(cluster.calls.filter((call) => /^(takeOut|install)/.test(call))).to.deep.equal([]);
  });

  it("names the pods that a budget keeps, and puts the machine back", async () => {
    const cluster = new FakeCluster(1, 1);
    cluster.kept.set("pod-of-wk01", "Cannot evict pod as it would violate the pod's disruption budget.");
    Object.assign(cluster.machines.get("cp01") ?? {}, { version: "v1.13.9" });
    expect(await failure(run(cluster, "v1.13.9", "v1.36.3", short)))
      .to.contain("wk01 cannot be drained, and is in service again")
      .and.contain("the pod apps/pod-of-wk01 stays: Cannot evict pod");
    expect(cluster.machines.get("wk01")).to.deep.include({ isCordoned: false, mark: undefined, version: "v1.13.8" });
  });

  it("leaves pods that a budget keeps where no other node takes any, and evicts the others", async () => {
    const cluster = new FakeCluster(1, 1);
    cluster.isTainted = true;
    const worker = cluster.machines.get("wk01");
    worker?.pods.push({ namespace: "apps", name: "other", claims: [] });
    cluster.kept.set("pod-of-wk01", "Cannot evict pod as it would violate the pod's disruption budget.");
    Object.assign(cluster.machines.get("cp01") ?? {}, { version: "v1.13.9" });
    await run(cluster, "v1.13.9", "v1.36.3", short);
    expect(cluster.calls).to.include("evict other");
    expect(worker).to.deep.include({ isCordoned: false, mark: undefined, version: "v1.13.9" });
  });

  it("destroys no machine with pods that a budget keeps, whether other nodes take some or not", async () => {
    const cluster = new FakeCluster(1, 1);
    cluster.isTainted = true;
    cluster.kept.set("pod-of-wk01", "Cannot evict pod as it would violate the pod's disruption budget.");
    cluster.outdated.add("wk01");
    expect(await failure(run(cluster, "v1.13.8", "v1.36.3", short))).to.contain("wk01 cannot be drained");
    expect(cluster.calls.filter((call) => call.startsWith("destroy"))).to.deep.equal([]);
  });

  it("puts a machine back that cannot pull its image, and goes no further", async () => {
    const cluster = new FakeCluster(1, 2);
    cluster.missing = "factory.example/metal-installer/abc:v1.13.9";
    expect(await failure(run(cluster, "v1.13.9", "v1.36.3", short))).to.contain(
      "cp01 was not upgraded, and is in service again with Talos v1.13.8",
    );
    expect(cluster.calls.filter((call) => call.startsWith("install"))).to.deep.equal(["install cp01"]);
    expect(cluster.running.marked).to.deep.equal([]);
  });

  it("sees a machine that boots what it had before, and goes no further", async () => {
    const cluster = new FakeCluster(1, 2);
    cluster.broken = "factory.example/metal-installer/abc:v1.13.9";
    expect(await failure(run(cluster, "v1.13.9", "v1.36.3", short)))
      .to.contain("cp01 is in service, with Talos v1.13.8")
      .and.contain("booted what it had before");
    expect(cluster.calls.filter((call) => call.startsWith("install"))).to.deep.equal(["install cp01"]);
    expect(cluster.running.marked).to.deep.equal([]);
  });

  it("says what is out of service where a machine does not come back, and goes on once it has", async () => {
    const cluster = new FakeCluster(3, 1);
    const { install } = cluster.actions;
    cluster.actions.install = async (name, image) => {
      await install(name, image);
      Object.assign(cluster.machines.get(name) ?? {}, { booting: Infinity });
    };
    expect(await failure(run(cluster, "v1.13.9", "v1.36.3", short))).to.contain(
      "cp02 is out of service: it does not answer",
    );
    expect(cluster.running.marked).to.deep.equal(["cp02"]);
    cluster.actions.install = install;
    Object.assign(cluster.machines.get("cp02") ?? {}, { booting: 0 });
    await run(cluster);
    expect(cluster.mostOut).to.equal(1);
    expect(cluster.running.marked).to.deep.equal([]);
  });

  describe("on a cluster that is not healthy", () => {
    const unhealthy = (cluster: FakeCluster, problem = "CephCluster rook-ceph is HEALTH_WARN") => {
      cluster.actions.health = () => Promise.resolve({ problems: [problem], mistakes: [], settles: 0 });
    };

    it("begins nothing, and names what does not hold", async () => {
      const cluster = new FakeCluster(3, 1);
      unhealthy(cluster);
      expect(await failure(run(cluster, "v1.13.9", "v1.36.3", short))).to.equal(
        "cp02 stays in service, because the cluster is not healthy:\n  CephCluster rook-ceph is HEALTH_WARN\n" +
          "Nothing was begun. Mend that, then run npx hearth deploy dev again",
      );
      expect(cluster.mostOut).to.equal(0);
      expect(await failure(run(cluster, "v1.13.8", "v1.36.4", short))).to.contain(
        "Kubernetes is not upgraded, because",
      );
      expect(cluster.calls).to.not.contain("upgradeKubernetes");
    });

    it("waits until it is again, and says for how long already", async () => {
      const cluster = new FakeCluster(1, 1);
      const { health } = cluster.actions;
      let looks = 0;
      cluster.actions.health = () => {
        looks += 1;
        return looks > 3
          ? health()
          : Promise.resolve({ problems: ["a database lacks an instance"], mistakes: [], settles: 0 });
      };
      const said: string[] = [];
      await run(cluster, "v1.13.9", "v1.36.3", timeouts, (text) => said.push(text));
      expect(said[0]).to.equal("Waiting for health, 0.0 s of 5.0 s at most: a database lacks an instance");
      expect(cluster.machines.get("wk01")?.version).to.equal("v1.13.9");
    });

    it("takes no other machine out where a step leaves it so", async () => {
      const cluster = new FakeCluster(1, 2);
      const { install } = cluster.actions;
      cluster.actions.install = async (name, image) => {
        await install(name, image);
        unhealthy(cluster);
      };
      expect(await failure(run(cluster, "v1.13.9", "v1.36.3", short)))
        .to.contain("talos/cp01 is done and all machines are in service, and the cluster is not healthy since:")
        .and.contain("CephCluster rook-ceph is HEALTH_WARN");
      expect(cluster.running.marked).to.deep.equal([]);
      expect(cluster.calls.filter((call) => call.startsWith("takeOut"))).to.deep.equal(["takeOut cp01"]);
    });

    it("does not take the health from before a step for that after it", async () => {
      const cluster = new FakeCluster(1, 0);
      const { health } = cluster.actions;
      const looks: number[] = [];
      cluster.actions.health = async () => {
        looks.push(Date.now());
        return { ...(await health()), settles: 60 };
      };
      await run(cluster);
      expect((looks.at(-1) ?? 0) - (looks[0] ?? 0)).to.be.at.least(60);
    });

    it("gives a machine that is out of service anyway what may bring it back, and does not destroy it", async () => {
      const cluster = new FakeCluster(1, 2);
      const { readings, health } = cluster.actions;
      const isBroken = () => !cluster.calls.includes("configure wk01");
      cluster.actions.readings = async (names) => {
        const read = await readings(names);
        const nodes = read.nodes.map((node) =>
          node.name === "wk01" && isBroken() ? { ...node, isReady: false } : node,
        );
        return { ...read, nodes };
      };
      cluster.actions.health = () =>
        isBroken() ? Promise.resolve({ problems: ["wk01 has no copies"], mistakes: [], settles: 0 }) : health();
      cluster.outdated.add("wk01");
      expect(await failure(run(cluster, "v1.13.8", "v1.36.3", short))).to.contain("because the cluster is not healthy");
      cluster.outdated.clear();
      Object.assign(cluster.machines.get("wk01") ?? {}, { isOutdated: true });
      await run(cluster, "v1.13.8");
      expect(cluster.machines.get("wk01")).to.deep.include({ isOutdated: false, mark: undefined });
    });

    it("lets machines join, and removes those that are lost", async () => {
      const cluster = new FakeCluster(3, 1);
      cluster.lose("cp03");
      cluster.desired.delete("cp03");
      cluster.desired.set("wk02", "worker");
      unhealthy(cluster);
      await run(cluster, "v1.13.8");
      expect([...cluster.machines.keys()]).to.deep.equal(["cp01", "cp02", "wk01", "wk02"]);
    });
  });

  it("goes on from wherever it was killed, and never has two machines out", async () => {
    const whole = (): FakeCluster => {
      const cluster = new FakeCluster(3, 1);
      Object.assign(cluster.machines.get("wk01") ?? {}, { isOutdated: true });
      return cluster;
    };
    const unkilled = whole();
    await run(unkilled, "v1.13.9", "v1.36.4");
    const goesOn = async (killedAt: number): Promise<void> => {
      const cluster = whole();
      cluster.untilKilled = killedAt;
      await failure(run(cluster, "v1.13.9", "v1.36.4"));
      cluster.revive();
      await run(cluster, "v1.13.9", "v1.36.4");
      expect(cluster.mostOut, `killed at ${killedAt}`).to.equal(1);
      expect(cluster.violations, `killed at ${killedAt}`).to.deep.equal([]);
      expect(stateOf(cluster), `killed at ${killedAt}`).to.deep.equal(stateOf(unkilled));
    };
    // They mostly wait, so they run beside each other.
    await Promise.all(unkilled.calls.flatMap((_, index) => [goesOn(2 * index + 1), goesOn(2 * index + 2)]));
  }).timeout(60_000);
});
