import { expect } from "chai";
import fc from "fast-check";

import { planRollout } from "../../../../lib/rollout/plan.ts";
import type { Changes, Running, Step } from "../../../../lib/rollout/step.ts";

const image = (version = "v1.13.9", schematic = "abc") => ({
  version,
  schematic,
  installer: `factory.example/metal-installer/${schematic}:${version}`,
});

interface Given {
  planes?: number;
  workers?: number;
  talos?: [from: string, to: string];
  kubernetes?: [from: string, to: string];
}

/** A cluster of which everything runs as the stack file says, but for what is given. */
const cluster = ({
  planes = 3,
  workers = 2,
  talos = ["v1.13.9", "v1.13.9"],
  kubernetes = ["v1.36.4", "v1.36.4"],
}: Given = {}) => {
  const names = [
    ...Array.from({ length: planes }, (_, index) => `cp0${index + 1}`),
    ...Array.from({ length: workers }, (_, index) => `wk0${index + 1}`),
  ];
  const changes: Changes = {
    machines: Object.fromEntries(
      names.map((name) => [name, { role: name.startsWith("cp") ? "controlplane" : "worker", image: image(talos[1]) }]),
    ),
    kubernetes: kubernetes[1],
    restarts: {},
    removed: {},
    created: [],
    replaced: [],
    isBootstrapped: false,
  };
  const running: Running = {
    machines: Object.fromEntries(names.map((name) => [name, { version: talos[0], schematic: "abc" }])),
    leader: "cp01",
    kubernetes: { lowest: kubernetes[0], highest: kubernetes[0] },
    marked: [],
  };
  return { changes, running };
};

/** The role that a machine has at the start of its step; undefined where it has none. */
const leavingRole = (step: Step) =>
  step.kind === "replace" ? step.former : step.kind === "remove" ? step.role : undefined;

const names = ({ changes, running }: { changes: Changes; running: Running }): string[] =>
  planRollout(changes, running).steps.map(({ name }) => name);

describe("a rollout", () => {
  it("has no step where everything runs as the stack file says", () => {
    expect(planRollout(cluster().changes, cluster().running)).to.deep.equal({ steps: [], refusals: [], notes: [] });
  });

  it("upgrades Talos on control planes first, the leader of etcd last among them", () => {
    expect(names(cluster({ talos: ["v1.13.8", "v1.13.9"] }))).to.deep.equal(
      ["cp02", "cp03", "cp01", "wk01", "wk02"].map((name) => `talos/${name}`),
    );
  });

  it("upgrades only the machines that do not run it yet, and none that is new", () => {
    const given = cluster({ talos: ["v1.13.8", "v1.13.9"] });
    Object.assign(given.running.machines, { cp02: { version: "v1.13.9", schematic: "abc" } });
    delete given.running.machines.wk02;
    expect(names(given)).to.deep.equal(["cp03", "cp01", "wk01"].map((name) => `talos/${name}`));
  });

  it("installs another image profile in the same way", () => {
    const given = cluster({ workers: 1 });
    Object.assign(given.changes.machines, { wk01: { role: "worker", image: image("v1.13.9", "def") } });
    const [step] = planRollout(given.changes, given.running).steps;
    expect(step).to.include({ name: "talos/wk01", what: "installs another image profile", out: "wk01" });
  });

  for (const [from, to, word] of [
    ["metal-installer", "metal-installer-secureboot", "on"],
    ["metal-installer-secureboot", "metal-installer", "off"],
  ] as const) {
    it(`turns SecureBoot ${word} for a machine of metal that is replaced, and by no other step`, () => {
      const given = cluster({ workers: 1 });
      const installer = (name: string) => `factory.example/${name}/abc:v1.13.9`;
      Object.assign(given.running.machines, {
        wk01: { version: "v1.13.9", schematic: "abc", recorded: installer(from) },
      });
      const wanted = { ...image(), installer: installer(to) };
      Object.assign(given.changes.machines, { wk01: { role: "worker", image: wanted } });
      const refused = (changes: Changes): string => {
        const { steps, refusals } = planRollout(changes, given.running);
        expect(steps).to.deep.equal([]);
        return refusals.join();
      };
      const why = `wk01: SecureBoot is turned ${word} at the machine only`;
      expect(refused(given.changes)).to.contain(why);
      const replaced = { ...given.changes, replaced: ["wk01"] };
      const [step, ...others] = planRollout(replaced, given.running).steps;
      expect(step).to.include({ name: "replace/wk01", out: "wk01", secureBoot: word === "on" });
      expect(step?.what).to.contain(`waits for a person to turn SecureBoot ${word}`);
      expect(others).to.deep.equal([]);
      Object.assign(given.running.machines.wk01 ?? {}, { volumes: ["data"] });
      expect(refused(replaced)).to.contain(why).and.contain("volumes of its own (data)");
      const { wk01: now, ...rest } = given.running.machines;
      Object.assign(given.running, { machines: { ...rest, ...(now && { wk09: { ...now, volumes: [] } }) } });
      expect(refused({ ...given.changes, renamed: { wk01: "wk09" } })).to.contain("deploy its new name alone first");
    });
  }

  it("waits for a person again where an interrupted run wiped a machine of metal", () => {
    const given = cluster({ workers: 1 });
    const installer = "factory.example/metal-installer-secureboot/abc:v1.13.9";
    Object.assign(given.changes.machines, { wk01: { role: "worker", image: { ...image(), installer } } });
    delete given.running.machines.wk01;
    given.running.marked = ["wk01"];
    const [replaced] = planRollout({ ...given.changes, replaced: ["wk01"] }, given.running).steps;
    expect(replaced).to.include({ name: "replace/wk01", isLost: true, secureBoot: true });
    const [created] = planRollout({ ...given.changes, created: ["wk01"] }, given.running).steps;
    expect(created).to.include({ name: "join/wk01", secureBoot: true });
  });

  it("replaces a machine of metal by the engine where its SecureBoot stays", () => {
    const given = cluster({ workers: 1 });
    const [step] = planRollout({ ...given.changes, replaced: ["wk01"] }, given.running).steps;
    expect(step).to.include({ name: "replace/wk01" }).and.not.have.property("secureBoot");
  });

  it("replaces a virtual machine by one with another boot image", () => {
    const given = cluster({ workers: 1 });
    const installer = (name: string) => `factory.example/${name}/abc:v1.13.9`;
    Object.assign(given.running.machines, {
      wk01: { version: "v1.13.9", schematic: "abc", recorded: installer("nocloud-installer") },
    });
    const wanted = { ...image(), installer: installer("nocloud-installer-secureboot") };
    Object.assign(given.changes.machines, { wk01: { role: "worker", image: wanted } });
    expect(names({ ...given, changes: { ...given.changes, replaced: ["wk01"] } })).to.deep.equal(["replace/wk01"]);
  });

  it("tries a restart on workers before control planes", () => {
    const given = cluster();
    given.changes.restarts = { cp01: ["machine.udev"], cp02: ["machine.udev"], wk02: ["cpu"] };
    expect(names(given)).to.deep.equal(
      ["cp02", "cp01"].reduce((all, name) => [...all, `configure/${name}`], ["configure/wk02"]),
    );
  });

  it("drains a machine that moves to another host, and knows that it goes on running", () => {
    const given = cluster();
    given.changes.restarts = { wk01: ["another host"], wk02: ["another host", "cpu"] };
    const steps = planRollout(given.changes, given.running).steps.map((step) => [
      step.what,
      step.kind === "configure" && step.restarts,
    ]);
    expect(steps).to.deep.equal([
      ["moves to another host", "nothing"],
      ["moves to another host, and restarts for cpu", "machine"],
    ]);
  });

  it("restarts one API server after the other, and drains nothing for that, but for what restarts as well", () => {
    const given = cluster({ planes: 3, workers: 0 });
    given.changes.apiServers = Object.fromEntries(
      ["cp01", "cp02", "cp03"].map((name) => [name, ["cluster.apiServer.certSANs"]]),
    );
    given.changes.restarts = { cp03: ["machine.udev"] };
    const planned = planRollout(given.changes, given.running).steps.map((step) => [
      ...[step.name, step.out],
      ...(step.kind === "configure" ? [step.restarts, step.isDrained] : []),
    ]);
    expect(planned).to.deep.equal([
      ["configure/cp02", "the API server of cp02", "apiServer", false],
      ["configure/cp03", "cp03", "machine", true],
      ["configure/cp01", "the API server of cp01", "apiServer", false],
    ]);
    const single = cluster({ planes: 1, workers: 1 });
    single.changes.apiServers = { cp01: ["cluster.apiServer.certSANs"] };
    expect(planRollout(single.changes, single.running).steps.map(({ out }) => out)).to.deep.equal([
      "the Kubernetes API",
    ]);
  });

  it("has Talos, then restarts, then removals, then Kubernetes", () => {
    const given = cluster({ planes: 1, workers: 1, talos: ["v1.13.8", "v1.13.9"], kubernetes: ["v1.36.3", "v1.36.4"] });
    given.changes.restarts = { wk01: ["cpu"] };
    given.changes.removed = { wk09: "worker" };
    Object.assign(given.running.machines, { wk09: { version: "v1.13.8", schematic: "abc" } });
    expect(names(given)).to.deep.equal(["talos/cp01", "talos/wk01", "configure/wk01", "remove/wk09", "kubernetes"]);
  });

  it("has Kubernetes first where the new Talos does not support the present one", () => {
    const given = cluster({ workers: 0, talos: ["v1.12.8", "v1.13.9"], kubernetes: ["v1.30.9", "v1.31.2"] });
    expect(names(given)[0]).to.equal("kubernetes");
  });

  it("is refused where neither may be first", () => {
    const given = cluster({ talos: ["v1.12.8", "v1.13.9"], kubernetes: ["v1.30.9", "v1.36.2"] });
    expect(planRollout(given.changes, given.running).refusals.join()).to.contain("change one of them");
  });

  it("finishes a Kubernetes upgrade that is half-way before anything else", () => {
    const given = cluster({ workers: 0, kubernetes: ["v1.36.3", "v1.36.4"] });
    given.running.kubernetes.highest = "v1.36.4";
    given.changes.restarts = { cp01: ["machine.udev"] };
    expect(names(given)).to.deep.equal(["kubernetes", "configure/cp01"]);
    given.changes.kubernetes = "v1.36.3";
    expect(planRollout(given.changes, given.running).refusals[0]).to.contain("v1.36.3 to v1.36.4 already");
  });

  it("goes one minor at a time, and never back", () => {
    const refusals = (given: Given) => planRollout(cluster(given).changes, cluster(given).running).refusals;
    expect(refusals({ talos: ["v1.11.3", "v1.13.9"] })[0]).to.contain("go to v1.12 first");
    expect(refusals({ talos: ["v1.13.1", "v1.12.9"] })[0]).to.contain("would go back");
    expect(refusals({ kubernetes: ["v1.34.1", "v1.36.4"] })[0]).to.contain("go to v1.35 first");
    expect(refusals({ kubernetes: ["v1.36.5", "v1.36.4"] })[0]).to.contain("write v1.36.5 there");
    expect(refusals({ talos: ["v1.13.9", "v1.13.8"] })).to.deep.equal([]);
  });

  it("keeps a Talos that somebody installed by hand, and says so", () => {
    const given = cluster({ planes: 1, workers: 0, talos: ["v1.13.10", "v1.13.9"] });
    Object.assign(given.running.machines.cp01 ?? {}, { recorded: image("v1.13.9").installer });
    const { steps, notes } = planRollout(given.changes, given.running);
    expect(steps).to.deep.equal([]);
    expect(notes[0]).to.contain("cp01 runs Talos v1.13.10");
  });

  it("puts back first what an interrupted run took out of service", () => {
    const given = cluster({ talos: ["v1.13.8", "v1.13.9"] });
    given.running.marked = ["wk01"];
    expect(names(given).slice(0, 2)).to.deep.equal(["finish/wk01", "talos/cp02"]);
    given.running.marked = ["cp02"];
    expect(names(given)[0]).to.equal("talos/cp02");
  });

  it("says what is out of service", () => {
    const out = (given: Given) =>
      planRollout(cluster(given).changes, cluster(given).running).steps.map((step) => step.out);
    const talos: Given["talos"] = ["v1.13.8", "v1.13.9"];
    expect(out({ planes: 1, workers: 0, talos })).to.deep.equal(["cp01, and with it the whole cluster"]);
    expect(out({ planes: 1, workers: 1, talos })).to.deep.equal(["cp01, and with it the Kubernetes API", "wk01"]);
    expect(out({ planes: 3, workers: 0, talos })).to.deep.equal(["cp02", "cp03", "cp01"]);
  });
});

const talosVersions = ["v1.12.3", "v1.12.9", "v1.13.1", "v1.13.9"];
const kubernetesVersions = ["v1.34.2", "v1.35.1", "v1.35.4", "v1.36.0", "v1.36.4"];

/** Any cluster half-way through anything. */
const anything = fc
  .record({
    planes: fc.constantFrom(1, 3, 5),
    workers: fc.integer({ min: 0, max: 4 }),
    talos: fc.constantFrom(...talosVersions),
    kubernetes: fc.constantFrom(...kubernetesVersions),
    runs: fc.array(fc.tuple(fc.constantFrom(...talosVersions), fc.constantFrom("abc", "def")), {
      minLength: 9,
      maxLength: 9,
    }),
    lowest: fc.constantFrom(...kubernetesVersions),
    highest: fc.constantFrom(...kubernetesVersions),
    restarting: fc.subarray([0, 1, 2, 3, 4, 5, 6, 7, 8]),
    removed: fc.subarray([0, 1, 2]),
    marked: fc.subarray([0, 1, 2, 3, 4, 5, 6, 7, 8]),
    leader: fc.integer({ min: 0, max: 4 }),
  })
  .map((given) => {
    const { changes, running } = cluster({
      ...given,
      talos: [given.talos, given.talos],
      kubernetes: [given.kubernetes, given.kubernetes],
    });
    const all = Object.keys(changes.machines);
    all.forEach((name, index) => {
      const [version = "", schematic = ""] = given.runs[index] ?? [];
      running.machines[name] = { version, schematic };
    });
    const [lowest = "", highest = ""] = [given.lowest, given.highest].sort();
    running.kubernetes = { lowest, highest };
    running.leader = all[given.leader % given.planes];
    running.marked = given.marked.flatMap((index) => all[index] ?? []);
    changes.restarts = Object.fromEntries(
      given.restarting.flatMap((index) => (all[index] === undefined ? [] : [[all[index], ["x"]]])),
    );
    for (const index of given.removed) {
      changes.removed[`gone0${index}`] = "worker";
      running.machines[`gone0${index}`] = { version: given.talos, schematic: "abc" };
    }
    return { changes, running };
  });

const check = (judge: (steps: Step[], given: { changes: Changes; running: Running }) => void): void => {
  fc.assert(
    fc.property(anything, (given) => {
      judge(planRollout(given.changes, given.running).steps, given);
    }),
    { numRuns: 500 },
  );
};

const kinds = (steps: readonly Step[]): string[] => steps.map(({ kind }) => kind);
const machineOf = (step: Step): string => ("machine" in step ? step.machine : "");

describe("a rollout of any cluster", () => {
  it("has each step once, and one machine in each", () => {
    check((steps) => {
      expect(new Set(steps.map(({ name }) => name)).size).to.equal(steps.length);
      for (const step of steps) if (step.kind !== "kubernetes") expect(step.machine).to.not.equal("");
    });
  });

  it("never has a control plane out of service while another one still is", () => {
    check((steps, { changes, running }) => {
      const out = new Set(running.marked);
      for (const step of steps) {
        const others = [...out].filter((name) => name !== machineOf(step));
        // Only what an interrupted run left may be out beside the machine of a step, and then the step puts back.
        if (step.kind !== "finish") expect(others).to.deep.equal([]);
        out.delete(machineOf(step));
        const planes = Object.values(changes.machines).filter(({ role }) => role === "controlplane").length;
        if (step.kind !== "finish" && planes > 1) expect(planes - 1).to.be.at.least(Math.floor(planes / 2) + 1);
      }
    });
  });

  it("never mixes Kubernetes and Talos", () => {
    check((steps) => {
      const talos = kinds(steps).flatMap((kind, index) => (kind === "talos" ? [index] : []));
      const kubernetes = kinds(steps).indexOf("kubernetes");
      const [first = kubernetes, last = kubernetes] = [talos[0], talos.at(-1)];
      if (kubernetes !== -1) expect(kubernetes <= first || kubernetes >= last).to.equal(true);
      expect(
        kinds(steps)
          .slice(talos[0] ?? 0, (talos.at(-1) ?? -1) + 1)
          .every((kind) => kind === "talos"),
      ).to.equal(true);
    });
  });

  it("upgrades Talos on control planes before workers, the leader last", () => {
    check((steps, { changes, running }) => {
      const order = steps.filter(({ kind }) => kind === "talos").map(machineOf);
      const planes = order.filter((name) => changes.machines[name]?.role === "controlplane");
      expect(order.slice(0, planes.length)).to.deep.equal(planes);
      if (planes.includes(running.leader ?? "")) expect(planes.at(-1)).to.equal(running.leader);
    });
  });

  it("skips no minor, and takes neither Kubernetes nor a minor of Talos back", () => {
    check((steps, { running }) => {
      const minor = (version: string): number => Number(version.split(".")[1]);
      for (const step of steps) {
        if (step.kind === "talos") {
          const difference = minor(step.to.version) - minor(running.machines[step.machine]?.version ?? "");
          expect(difference).to.be.within(0, 1);
        }
        if (step.kind === "kubernetes") expect(minor(step.to) - minor(running.kubernetes.lowest)).to.be.within(0, 1);
        if (step.kind === "kubernetes") expect(step.to >= running.kubernetes.highest).to.equal(true);
      }
    });
  });

  it("comes to its end: carried out, it leaves nothing to do", () => {
    check((steps, { changes, running }) => {
      if (steps.length === 0) return;
      const after: Running = { ...running, machines: { ...running.machines }, marked: [] };
      const then: Changes = { ...changes, restarts: {}, removed: {} };
      for (const step of steps) {
        if (step.kind === "talos") after.machines[step.machine] = step.to;
        if (step.kind === "kubernetes") after.kubernetes = { lowest: step.to, highest: step.to };
      }
      expect(planRollout(then, after)).to.deep.equal({ steps: [], refusals: [], notes: [] });
    });
  });
});

describe("a rollout that changes which machines there are", () => {
  const role = (name: string) => (name.startsWith("cp") ? ("controlplane" as const) : ("worker" as const));
  const machine = fc.constantFrom<string>("cp01", "cp02", "cp03", "cp04", "cp05", "wk01", "wk02");
  const some = fc.uniqueArray(machine, { minLength: 1 });
  const isPlane = (name: string): boolean => role(name) === "controlplane";

  /**
   * A cluster and what is asked for: machines before and after, those whose change destroys them, those that have another role until then,
   * those that burned, and etcd's leader.
   */
  const any = fc
    .record({
      before: some,
      after: some,
      outdated: fc.subarray<string>(["cp01", "cp02", "cp03", "wk01"]),
      turned: fc.subarray<string>(["cp02", "cp03", "wk01", "wk02"]),
      burned: fc.subarray<string>(["cp02", "cp04", "wk02"]),
    })
    .map(({ before, after, turned, ...others }) => {
      const turning = turned.filter((name) => before.includes(name) && after.includes(name));
      const former = (name: string) =>
        turning.includes(name) === isPlane(name) ? ("worker" as const) : ("controlplane" as const);
      return { before, after, turning, former, wasPlane: (name: string) => former(name) === "controlplane", ...others };
    })
    .map((given) => {
      const removed = given.before.filter((name) => !given.after.includes(name));
      const lost = removed.filter((name) => given.burned.includes(name));
      return { ...given, removed, lost, up: given.before.filter((name) => !lost.includes(name)) };
    })
    // Nothing can be read of a cluster whose etcd has no majority, and nothing is deployed to it.
    .filter(
      ({ before, after, up, wasPlane }) =>
        up.filter(wasPlane).length > before.filter(wasPlane).length / 2 && after.some(isPlane),
    )
    .map(({ before, after, removed, lost, up, turning, former, wasPlane, outdated }) => {
      const { changes, running } = cluster();
      return {
        lost,
        wasPlane,
        changes: {
          ...changes,
          machines: Object.fromEntries(after.map((name) => [name, { role: role(name), image: image() }])),
          created: after.filter((name) => !before.includes(name)),
          replaced: after.filter((name) => before.includes(name) && [...outdated, ...turning].includes(name)),
          removed: Object.fromEntries(removed.map((name) => [name, role(name)])),
        } satisfies Changes,
        running: {
          ...running,
          machines: Object.fromEntries(
            up.map((name) => [name, { version: "v1.13.9", schematic: "abc", role: former(name) }]),
          ),
          leader: up.find(wasPlane),
          members: before.filter(wasPlane).map((name) => ({ name, isVoting: true })),
        } satisfies Running,
      };
    });

  it("has one step for each machine that joins, is replaced or leaves, and takes none out otherwise", () => {
    fc.assert(
      fc.property(any, ({ changes, running }) => {
        const { steps, refusals } = planRollout(changes, running);
        if (refusals.length > 0) return;
        const expected = [
          ...changes.created.map((name) => `join/${name}`),
          ...changes.replaced.map((name) => `replace/${name}`),
          ...Object.keys(changes.removed).map((name) => `remove/${name}`),
        ];
        expect(steps.map(({ name }) => name).sort()).to.deep.equal(expected.sort());
      }),
    );
  });

  it("removes what is lost first, lets machines join before any leaves, and takes the leader of etcd last", () => {
    fc.assert(
      fc.property(any, ({ changes, running, lost }) => {
        const { steps } = planRollout(changes, running);
        const places = steps.map((step) => {
          const name = "machine" in step ? step.machine : "";
          if (lost.includes(name)) return 0;
          return step.kind === "join" ? 1 : step.kind === "replace" ? 2 : 3;
        });
        expect(places).to.deep.equal([...places].sort());
        for (const kind of ["replace", "remove"] as const) {
          const isLeaving = (step: Step): boolean =>
            step.kind === kind && leavingRole(step) === "controlplane" && !step.isLost;
          const names = steps.flatMap((step) => (isLeaving(step) && "machine" in step ? [step.machine] : []));
          // Those that become workers are after all others, so the leader is the last one of its kind.
          const isTurning = (name: string): boolean => changes.machines[name]?.role === "worker";
          const { leader } = running;
          if (leader === undefined || !names.includes(leader)) continue;
          expect(names.filter((name) => isTurning(name) === isTurning(leader)).at(-1)).to.equal(leader);
        }
      }),
    );
  });

  it("never leaves etcd without a quorum while a control plane is destroyed", () => {
    fc.assert(
      fc.property(any, ({ changes, running, wasPlane }) => {
        const { steps } = planRollout(changes, running);
        const up = new Set(Object.keys(running.machines).filter(wasPlane));
        for (const step of steps) {
          if (!("role" in step) || ("isLost" in step && step.isLost)) continue;
          const isLeaving = step.kind !== "join" && leavingRole(step) === "controlplane";
          if (isLeaving && step.kind === "replace" && step.role === "controlplane") expect(up.size).to.be.at.least(3);
          if (isLeaving) up.delete(step.machine);
          expect(up.size).to.be.at.least(1);
          if (step.kind !== "remove" && step.role === "controlplane") up.add(step.machine);
        }
      }),
    );
  });

  it("makes a machine anew whose role changes: a worker before others are replaced, a control plane after them", () => {
    const { changes, running } = cluster({ planes: 3, workers: 2 });
    const { cp02, cp03, wk01, ...rest } = changes.machines;
    const turned = {
      ...(cp02 && { cp02 }),
      ...(cp03 && { cp03: { ...cp03, role: "worker" as const } }),
      ...(wk01 && { wk01: { ...wk01, role: "controlplane" as const } }),
    };
    const machines = Object.fromEntries(
      Object.entries(running.machines).map(([name, now]) => [name, { ...now, role: role(name) }]),
    );
    const { steps, refusals } = planRollout(
      { ...changes, machines: { ...rest, ...turned }, replaced: ["cp02", "cp03", "wk01"] },
      { ...running, machines },
    );
    expect(refusals).to.deep.equal([]);
    expect(steps.map(({ name }) => name)).to.deep.equal(["replace/wk01", "replace/cp02", "replace/cp03"]);
    expect(steps[0]).to.deep.include({ role: "controlplane", former: "worker" });
    expect(steps[0]?.what).to.contain("sets it up again as a control plane");
    expect(steps[2]?.what).to.contain("sets it up again as a worker");
  });

  it("goes on first with what an interrupted run began, so that no other machine is out at once", () => {
    const { changes, running } = cluster({ talos: ["v1.13.8", "v1.13.9"] });
    const { cp03, ...rest } = changes.machines;
    expect(cp03).to.not.equal(undefined);
    const asked = { ...changes, machines: rest, removed: { cp03: "controlplane" as const } };
    const members = ["cp01", "cp02"].map((name) => ({ name, isVoting: true }));
    const first = (now: Partial<Running>) => planRollout(asked, { ...running, ...now }).steps[0]?.name;
    expect(first({ members: [...members, { name: "cp03", isVoting: true }] })).to.equal("talos/cp02");
    expect(first({ members })).to.equal("remove/cp03");
    expect(first({ marked: ["cp03"] })).to.equal("remove/cp03");
  });

  it("goes on with a worker that an interrupted run destroyed to make it a control plane, also beside a single one", () => {
    const { changes, running } = cluster({ planes: 1, workers: 1 });
    const { cp01, wk01 } = changes.machines;
    const machines = {
      ...(cp01 && { cp01: { ...cp01, role: "worker" as const } }),
      ...(wk01 && { wk01: { ...wk01, role: "controlplane" as const } }),
    };
    const former = { cp01: "controlplane" as const, wk01: "worker" as const };
    const now = {
      ...running,
      machines: { cp01: { version: "v1.13.9", schematic: "abc", role: "controlplane" as const } },
      ...{ marked: ["wk01"], members: [{ name: "cp01", isVoting: true }] },
    };
    const { steps, refusals } = planRollout({ ...changes, machines, replaced: ["cp01", "wk01"], former }, now);
    expect(refusals).to.deep.equal([]);
    expect(steps.map(({ name }) => name)).to.deep.equal(["replace/wk01", "replace/cp01"]);
    expect(steps[0]).to.deep.include({ isLost: true, former: "worker" });
  });

  it("takes a machine out of etcd that etcd counts, whatever is recorded of its role", () => {
    const { changes, running } = cluster({ planes: 3, workers: 1 });
    const machines = Object.fromEntries(
      Object.entries(changes.machines).map(([name, machine]) => [
        name,
        name === "wk01" ? { ...machine, role: "controlplane" as const } : machine,
      ]),
    );
    const members = ["cp01", "cp02", "cp03", "wk01"].map((name) => ({ name, isVoting: true }));
    const asked = { ...changes, machines, replaced: ["wk01"], former: { wk01: "worker" as const } };
    expect(planRollout(asked, { ...running, members }).steps[0]).to.deep.include({
      name: "replace/wk01",
      former: "controlplane",
    });
  });

  it("is refused where a machine would change its role and is not made anew, or gets another name as well", () => {
    const { changes, running } = cluster();
    const machines = {
      ...running.machines,
      wk01: { version: "v1.13.9", schematic: "abc", role: "controlplane" as const },
    };
    expect(planRollout(changes, { ...running, machines }).refusals.join()).to.contain(
      "wk01 is a control plane and would become a worker",
    );
    const { wk01, ...others } = machines;
    const renamed = planRollout(
      { ...changes, renamed: { wk01: "cp09" } },
      { ...running, machines: { ...others, cp09: wk01 } },
    );
    expect(renamed.refusals.join())
      .to.contain("wk01 is a control plane and would become a worker")
      .and.contain("its new name alone");
  });

  it("says which control plane does not vote yet, where nothing is left to do for it", () => {
    const { changes, running } = cluster();
    const members = ["cp01", "cp02", "cp03"].map((name) => ({ name, isVoting: name !== "cp03" }));
    expect(planRollout(changes, { ...running, members }).notes).to.have.length(1);
  });
});
