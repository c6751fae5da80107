import { expect } from "chai";

import { rolloutSchema } from "../../../infra/config/rollout.ts";
import type { Changes, Step } from "../../../lib/rollout/step.ts";
import {
  carryOutRollout,
  describePlan,
  planFor,
  removedNodes,
  requireLed,
  requireReachable,
  strangers,
  type KnownMachines,
  type RolloutOptions,
} from "../../../operations/deploy/rollout.ts";
import { recordedMachines, type RunningCluster } from "../../../operations/deploy/running.ts";
import { FakeCluster } from "../../support/fake-cluster.ts";

const timeouts = { gate: 5000, health: 5000, drain: 5000, boot: 5000, restart: 5000, person: 5000, pause: 0 };

interface Given {
  talos?: string;
  kubernetes?: string;
  options?: RolloutOptions;
  registrations?: string[];
  removed?: string[];
}

/** A cluster as a deployment reads it. */
const read = (cluster: FakeCluster, problems: string[] = []): RunningCluster =>
  ({
    running: { ...cluster.running, machines: problems.length > 0 ? {} : cluster.running.machines },
    recorded: Object.fromEntries(
      Object.entries(cluster.wants("v1.13.8", "").machines).map(([name, machine]) => [
        name,
        { ...machine, address: "" },
      ]),
    ),
    etcd: cluster.etcd([...cluster.recorded]),
    problems: problems.map((problem) => ({ machine: "cp01", problem })),
  }) as Partial<RunningCluster> as RunningCluster;

/** Rolls a stack file out to a cluster. Returns what the engine was asked for, the steps that are left, and what was said. */
const rollOut = async (
  cluster: FakeCluster,
  given: Given,
): Promise<{ engine: string[]; left: Step[]; said: string[] }> => {
  const { talos = "v1.13.8", kubernetes = "v1.36.3", options = {}, registrations = [], removed = [] } = given;
  const engine: string[] = [];
  const said: string[] = [];
  const note = (what: string) => {
    engine.push(what);
    return Promise.resolve();
  };
  const known = read(cluster);
  const wanted = cluster.wants(talos, kubernetes);
  const changes = {
    ...wanted,
    machines: Object.fromEntries(Object.entries(wanted.machines).filter(([name]) => !removed.includes(name))),
    removed: Object.fromEntries(removed.map((name) => [name, "worker" as const])),
    targets: Object.fromEntries([...cluster.machines.keys()].map((name) => [name, [`urn of ${name}`]])),
    ...{ registrations, joining: {}, taints: {} },
    deletions: Object.fromEntries(removed.map((name) => [name, [`urn of ${name}`]])),
  };
  const left = await carryOutRollout(planFor("dev", changes, known), cluster, changes, {
    actions: cluster.actions,
    engine: {
      target: (urns, release) => {
        for (const machine of cluster.machines.keys())
          if (urns.includes(`urn of ${machine}`))
            Object.assign(cluster.machines.get(machine) ?? {}, { boot: "9", isOutdated: false });
        return note(`target ${urns.join()} at ${release}`);
      },
      remove: async (urns, _, release) => {
        for (const name of removed) if (urns.includes(`urn of ${name}`)) await cluster.actions.remove(name, false);
        return note(`remove ${urns.join()} at ${release}`);
      },
      update: (release) => note(`update at ${release}`),
      forget: (urns) => note(`forget ${urns.join()}`),
      snapshot: () => note("snapshot"),
    },
    display: { live: () => undefined, line: (text) => void said.push(text) },
    ...{ signal: new AbortController().signal, command: "npx hearth deploy dev", options, timeouts },
    bootCommand: (machine: string) => `npx hearth boot dev ${machine}`,
    recorded: Object.fromEntries([...cluster.machines].map(([name, { role }]) => [name, { role }])),
    made: (machine) => void cluster.calls.push(`made ${machine}`),
    silence: () => Promise.resolve(void cluster.calls.push("silence")),
  });
  return { engine, left, said };
};

const failure = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "it succeeded",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );

describe("a deployment with steps", () => {
  it("renders the Kubernetes that runs until all machines have the next one", async () => {
    const cluster = new FakeCluster(1, 1);
    Object.assign(cluster.machines.get("wk01") ?? {}, { isOutdated: true });
    const { engine, left } = await rollOut(cluster, { kubernetes: "v1.36.4" });
    expect(engine).to.deep.equal([
      "snapshot",
      "target urn of wk01 at v1.36.3",
      "update at v1.36.3",
      "update at v1.36.4",
    ]);
    expect(left).to.deep.equal([]);
  });

  it("finishes a Kubernetes upgrade that is half-way before it renders anything", async () => {
    const cluster = new FakeCluster(1, 1);
    cluster.kubernetes = { lowest: "v1.36.3", highest: "v1.36.4" };
    Object.assign(cluster.machines.get("wk01") ?? {}, { isOutdated: true });
    const { engine } = await rollOut(cluster, { kubernetes: "v1.36.4" });
    expect(engine).to.deep.equal(["snapshot", "target urn of wk01 at v1.36.4", "update at v1.36.4"]);
  });

  it("registers images and has all machines pull before the first one goes out of service", async () => {
    const cluster = new FakeCluster(1, 1);
    const { engine } = await rollOut(cluster, { talos: "v1.13.9", registrations: ["urn of a schematic"] });
    expect(engine[0]).to.equal("target urn of a schematic at v1.36.3");
    const first = cluster.calls.findIndex((call) => call.startsWith("takeOut"));
    expect(cluster.calls.slice(0, first)).to.include.members(["pull cp01", "pull wk01"]);
  });

  it("ends before anything goes out of service where one machine cannot pull its image", async () => {
    const cluster = new FakeCluster(1, 1);
    cluster.missing = "factory.example/metal-installer/abc:v1.13.9";
    expect(await failure(rollOut(cluster, { talos: "v1.13.9" })))
      .to.contain("cp01 cannot pull factory.example")
      .and.contain("Nothing was taken out of service");
    expect(cluster.mostOut).to.equal(0);
  });

  it("ends before anything is touched where a health expression is not about the cluster", async () => {
    const cluster = new FakeCluster(1, 1);
    const mistakes = ["The cluster has no kind Deploiment of apps/v1"];
    cluster.actions.health = () => Promise.resolve({ problems: [], mistakes, settles: 0 });
    expect(await failure(rollOut(cluster, { talos: "v1.13.9" }))).to.equal(
      "The health expressions of hearth:rollout are not about this cluster:\n  The cluster has no kind Deploiment of apps/v1\n" +
        "Nothing was begun. Correct them, then run npx hearth deploy dev again",
    );
    expect(cluster.calls.filter((call) => call.startsWith("pull"))).to.deep.equal([]);
  });

  it("ends before anything is touched where etcd has no quorum, and says of whom and what to do", async () => {
    const cluster = new FakeCluster(3, 1);
    cluster.lose("cp02");
    cluster.members.delete("cp03");
    const refused = await failure(rollOut(cluster, { talos: "v1.13.9", registrations: ["schematic"] }));
    expect(refused).to.contain("dev is not deployed:\n  etcd has no quorum: The etcd member of cp01 knows no leader;");
    expect(refused)
      .to.contain("cp02 does not answer: connection refused")
      .and.contain("cp03 does not answer: etcd is not");
    expect(refused).to.contain("Start these control planes again").and.contain("npx hearth rebuild dev --etcd latest");
    expect(cluster.calls).to.deep.equal([]);
  });

  it("takes a snapshot of etcd only where a step is about a control plane", async () => {
    const cluster = new FakeCluster(1, 1);
    Object.assign(cluster.machines.get("wk01") ?? {}, { isOutdated: true });
    expect((await rollOut(cluster, {})).engine).to.not.contain("snapshot");
    expect((await rollOut(new FakeCluster(1, 1), { talos: "v1.13.9" })).engine).to.contain("snapshot");
  });

  it("silences the alerts that are expected before the first machine goes out of service", async () => {
    const cluster = new FakeCluster(1, 1);
    await rollOut(cluster, { talos: "v1.13.9" });
    const first = cluster.calls.findIndex((call) => call.startsWith("takeOut"));
    expect(cluster.calls.slice(0, first)).to.contain("silence");
  });

  it("drains a machine that goes before the engine removes it, and deletes its node", async () => {
    const cluster = new FakeCluster(1, 2);
    const { engine } = await rollOut(cluster, { removed: ["wk02"] });
    expect(engine).to.deep.equal(["remove urn of wk02 at v1.36.3", "update at v1.36.3"]);
    expect(cluster.calls).to.include.members(["takeOut wk02", "evict pod-of-wk02", "deleteNode wk02"]);
    expect(cluster.running.marked).to.deep.equal([]);
  });

  it("reaches a machine where the engine has put it, from then on", async () => {
    const cluster = new FakeCluster(1, 1);
    Object.assign(cluster.machines.get("wk01") ?? {}, { isOutdated: true });
    await rollOut(cluster, {});
    const at = cluster.calls.indexOf("made wk01");
    expect(at).to.be.greaterThan(cluster.calls.indexOf("takeOut wk01"));
    expect(cluster.calls.slice(at)).to.include.members(["machine wk01", "putBack wk01"]);
  });

  it("upgrades Kubernetes without a machine that was removed before", async () => {
    const cluster = new FakeCluster(1, 2);
    await rollOut(cluster, { removed: ["wk02"], kubernetes: "v1.36.4" });
    expect(cluster.kubernetes).to.deep.equal({ lowest: "v1.36.4", highest: "v1.36.4" });
  });

  it("ends after the step, or the machine, that a person names, and updates nothing else", async () => {
    for (const until of ["talos/cp01", "cp01"]) {
      const cluster = new FakeCluster(1, 2);
      const { engine, left } = await rollOut(cluster, { talos: "v1.13.9", options: { until } });
      expect(engine).to.deep.equal(["snapshot"]);
      expect(left.map(({ name }) => name)).to.deep.equal(["talos/wk01", "talos/wk02"]);
    }
    const none = rollOut(new FakeCluster(1, 1), { talos: "v1.13.9", options: { until: "wk09" } });
    expect(await failure(none)).to.contain("--until wk09 names no step: name one of talos/cp01, talos/wk01");
  });

  describe("outside its windows", () => {
    /** An hour that is over an hour away. */
    const later = (() => {
      const hour = (after: number) => new Date(Date.now() + after * 3_600_000).toISOString().slice(11, 16);
      return rolloutSchema.parse({ windows: [{ from: hour(3), to: hour(4) }] });
    })();

    it("touches nothing, and says when the next one opens", async () => {
      const cluster = new FakeCluster(1, 1);
      const { engine, left, said } = await rollOut(cluster, { talos: "v1.13.9", options: { windows: later } });
      expect(engine).to.deep.equal([]);
      expect(cluster.calls).to.not.contain("silence");
      expect(left.map(({ name }) => name)).to.deep.equal(["talos/cp01", "talos/wk01"]);
      expect(said.join("\n")).to.match(
        /^talos\/cp01 waits for a window of hearth:rollout, \w+.* \(UTC\): run npx hearth deploy dev then, or with --now$/,
      );
    });

    it("goes on with a machine that an interrupted run took out of service, and ends after it", async () => {
      const cluster = new FakeCluster(1, 1);
      Object.assign(cluster.machines.get("cp01") ?? {}, { mark: "schedulable", isCordoned: true });
      const { left } = await rollOut(cluster, { talos: "v1.13.9", options: { windows: later } });
      expect(left.map(({ name }) => name)).to.deep.equal(["talos/wk01"]);
      expect(cluster.running.marked).to.deep.equal([]);
    });
  });

  it("asks before each step, and ends where a person says no", async () => {
    const cluster = new FakeCluster(1, 2);
    const asked: string[] = [];
    const confirm = (question: string) => Promise.resolve(asked.push(question) < 2);
    const { left } = await rollOut(cluster, { talos: "v1.13.9", options: { confirm } });
    expect(asked[0]).to.contain("talos/cp01 upgrades Talos").and.contain("Out of service: cp01");
    expect(left.map(({ name }) => name)).to.deep.equal(["talos/wk01", "talos/wk02"]);
  });
});

describe("the plan of a deployment", () => {
  it("has no steps where a cluster does not answer and nothing goes out of service", () => {
    const cluster = new FakeCluster(1, 1);
    const plan = planFor("dev", cluster.wants("v1.13.8", "v1.36.3"), read(cluster, ["cp01 does not answer: timeout"]));
    expect(describePlan(plan)).to.deep.equal([]);
  });

  it("is refused where a cluster does not answer and a machine would go out of service", () => {
    const cluster = new FakeCluster(1, 1);
    expect(() =>
      planFor("dev", cluster.wants("v1.13.9", "v1.36.3"), read(cluster, ["cp01 does not answer: timeout"])),
    ).to.throw("cp01 does not answer: timeout");
  });

  it("is refused for a silent machine that would be replaced, unless an interrupted run destroyed it", () => {
    const cluster = new FakeCluster(3, 1);
    cluster.outdated.add("cp01");
    const answering = Object.entries(cluster.running.machines).filter(([name]) => name !== "cp01");
    const machines = Object.fromEntries(answering);
    const silent = (marked: string[]) => {
      const known = read(cluster, ["cp01 does not answer: timeout"]);
      const running = { ...cluster.running, machines, marked };
      return planFor("dev", cluster.wants("v1.13.8", "v1.36.3"), { ...known, running });
    };
    expect(() => silent([])).to.throw("cp01 does not answer: timeout. It cannot be drained");
    expect(silent(["cp01"]).steps[0]).to.deep.include({ name: "replace/cp01", isLost: true });
  });

  it("goes on where a machine does not answer that goes anyway", () => {
    const cluster = new FakeCluster(1, 1);
    const known = read(cluster, ["wk01 does not answer: timeout"]);
    const silent = { ...known, running: { ...cluster.running, machines: { cp01: cluster.running.machines.cp01 } } };
    const { machines, ...changes } = cluster.wants("v1.13.9", "v1.36.3");
    const { cp01 } = machines;
    const plan = planFor(
      "dev",
      { ...changes, machines: { cp01 }, removed: { wk01: "worker" } } as Changes,
      {
        ...silent,
        problems: [{ machine: "wk01", problem: "wk01 does not answer: timeout" }],
      } as RunningCluster,
    );
    expect(plan.steps.map(({ name }) => name)).to.deep.equal(["remove/wk01", "talos/cp01"]);
  });

  it("is refused for a machine that is renamed and has to restart", () => {
    const cluster = new FakeCluster(1, 1);
    const changes = { ...cluster.wants("v1.13.8", "v1.36.3"), restarts: { wk09: ["machine.udev"] } };
    expect(() => planFor("dev", changes, read(cluster))).to.throw("wk09 is renamed, and has to restart");
  });

  it("is a line for each step", () => {
    const cluster = new FakeCluster(1, 1);
    const lines = describePlan(planFor("dev", cluster.wants("v1.13.9", "v1.36.3"), read(cluster)));
    expect(lines).to.have.length(3);
    expect(lines[0]).to.equal("2 steps, about 10 min 0 s; one after the other:");
  });
});

describe("an endpoint that the cluster does not have yet", () => {
  const at = (server: string): string =>
    [
      ...["clusters:", "  - cluster:", `      server: ${server}`, "      certificate-authority-data: ''"],
      ...["users:", "  - user: { client-certificate-data: '', client-key-data: '' }"],
    ].join("\n");

  it("has to answer before anything is changed", async () => {
    const said = await failure(requireReachable(at("https://10.20.0.10:6443"), "https://127.0.0.1:1"));
    expect(said).to.contain("cluster.endpoint would go to https://127.0.0.1:1, where the API does not answer");
    expect(said).to.contain("Nothing was changed");
  });

  it("is not asked where it is the present one, or not known", async () => {
    await requireReachable(at("https://127.0.0.1:1"), "https://127.0.0.1:1");
    await requireReachable(at("https://127.0.0.1:1"), undefined);
  });
});

describe("a name by which a cluster is reached", () => {
  const reach = (name: string, ...vips: string[]) => ({
    ...{ endpoint: `https://${name}:6443`, vips, certSANs: [name], issuers: [], audiences: [] },
  });
  const removed = (name: string) => ({
    before: reach(name, "10.20.0.10", "10.20.0.9"),
    after: reach(name, "10.20.0.9"),
  });
  const to =
    (...addresses: string[]) =>
    () =>
      Promise.resolve(addresses);
  const unasked = () => Promise.reject(new Error("it was asked"));

  it("must not lead to a VIP that goes away", async () => {
    const said = await failure(requireLed(removed("api.example.com"), to("10.20.0.11", "10.20.0.10")));
    expect(said).to.contain("api.example.com, which leads to 10.20.0.10").and.contain("Nothing was changed");
  });

  it("may lead to any other address", async () => {
    await requireLed(removed("api.example.com"), to("10.20.0.9"));
  });

  it("stops what it can strand where it leads nowhere that is known", async () => {
    const said = await failure(
      requireLed(removed("api.example.com"), () => Promise.reject(new Error("getaddrinfo ENOTFOUND api.example.com"))),
    );
    expect(said).to.contain("is not known: getaddrinfo ENOTFOUND");
  });

  it("is not resolved where nothing goes away, or the endpoint is an address", async () => {
    const same = reach("api.example.com", "10.20.0.10");
    await requireLed({ before: same, after: same }, unasked);
    await requireLed(removed("10.20.0.9"), unasked);
    await requireLed(undefined, unasked);
  });
});

describe("the machines of a state", () => {
  it("are without one that an interrupted update destroyed and did not create again", () => {
    const type = "talos:machine/configurationApply:ConfigurationApply";
    const of = (name: string, more: object = {}) => ({
      ...{ urn: `urn:pulumi:dev::hearth::${type}::${name}`, type, inputs: { node: "10.20.0.11", configPatches: [] } },
      ...more,
    });
    const resources = [of("cp01"), of("wk01", { pendingReplacement: true })];
    expect(Object.keys(recordedMachines({ version: 3, deployment: { resources } }))).to.deep.equal(["cp01"]);
  });
});

describe("a node that is no machine of the stack", () => {
  const known = { desired: ["wk01"], recorded: ["wk01", "wk03"] };
  const said = (name: string, isReady: boolean, mark?: string) => strangers([{ name, isReady, mark }], known).join();

  it("is named where it is not Ready, for a rollout may wait for DaemonSets on it", () => {
    expect(said("wk02", false)).to.contain("The node wk02 is not Ready").and.contain("kubectl delete node wk02");
  });

  it("is nobody's business where it is Ready, and one of a machine is none", () => {
    expect(said("wk02", true) + said("wk01", false) + said("wk03", false)).to.equal("");
    expect(said("wk02", false, "schedulable")).to.equal("");
  });
});

describe("a node that is deleted", () => {
  const drained = { name: "wk02", mark: "schedulable", isCordoned: true };
  const deleted = (node: Partial<typeof drained>, known: Partial<KnownMachines> = {}) =>
    removedNodes(
      [
        { ...drained, ...node },
        { name: "wk01", mark: undefined, isCordoned: false },
      ],
      {
        ...{ desired: ["wk01"], recorded: ["wk01"], removed: [] },
        ...known,
      },
    );

  it("was drained for that, or its machine was removed just now", () => {
    expect(deleted({})).to.deep.equal(["wk02"]);
    expect(deleted({ mark: undefined }, { removed: ["wk02"] })).to.deep.equal(["wk02"]);
  });

  it("is none without the mark or the cordon, and none that has a machine in the stack file or the state", () => {
    expect(deleted({ mark: undefined })).to.deep.equal([]);
    expect(deleted({ isCordoned: false })).to.deep.equal([]);
    expect(deleted({}, { desired: ["wk01", "wk02"], removed: ["wk02"] })).to.deep.equal([]);
    expect(deleted({}, { recorded: ["wk01", "wk02"], removed: ["wk02"] })).to.deep.equal([]);
  });
});
