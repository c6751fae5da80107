import { expect } from "chai";
import { stringify } from "yaml";

import { resourceTypes } from "../../../../components/resource-types.ts";
import { readValues } from "../../../../lib/engine/value.ts";
import type { EngineEvent } from "../../../../lib/engine/events.ts";
import { changesOf } from "../../../../operations/deploy/changes.ts";
import type { Resources } from "../../../../operations/preview/changes.ts";
import { report } from "../../../../operations/preview/report.ts";
import { expectedRollout } from "../../../../operations/preview/rollout.ts";

const urnOf = (type: string, name: string): string => `urn:pulumi:dev::hearth::${type}::${name}`;

interface Machine {
  talos?: string;
  udev?: string;
  encryption?: string;
  isSecure?: boolean;
  /** A volume of the machine's own, which only the whole configuration has. */
  volume?: string;
}

/** Resources of machines, those of control planes beginning with cp, as a state or a program has them. */
const resources = (machines: Record<string, Machine>, kubernetes = "v1.36.4"): Resources =>
  new Map([
    [urnOf(resourceTypes.talosCluster, "talos"), { inputs: {}, outputs: readValues({ kubernetes }) }],
    ...Object.entries(machines).map(([name, { talos = "v1.13.9", udev, encryption, isSecure = false, volume }]) => {
      const image = `factory.example/metal-installer${isSecure ? "-secureboot" : ""}/abc:${talos}`;
      const machine = { install: { image }, ...(udev && { udev }) };
      const cluster = name.startsWith("cp") ? { cluster: { apiServer: {} } } : {};
      const keys = encryption === undefined ? [] : [{ slot: 0, [encryption]: {} }];
      const state = { apiVersion: "v1alpha1", kind: "VolumeConfig", name: "STATE", encryption: { keys } };
      const text = [{ machine, ...cluster }, ...(keys.length > 0 ? [state] : [])].map((each) => stringify(each));
      const own = volume === undefined ? [] : [stringify({ kind: "UserVolumeConfig", name: volume })];
      return [
        urnOf(resourceTypes.machineConfiguration, name),
        {
          inputs: readValues({ node: "10.20.0.21", configPatches: text }),
          outputs: readValues({ machineConfiguration: [...text, ...own].join("---\n") }),
        },
      ] as const;
    }),
  ]);

const event = (op: string, name: string, type = resourceTypes.machineConfiguration): EngineEvent => ({
  resourcePreEvent: { metadata: { op, type, urn: urnOf(type, name) } },
});

const changes = (before: Resources, after: Resources, events: EngineEvent[], kubernetes = "v1.36.4") =>
  changesOf(events, { before, after, kubernetes });

const steps = (before: Resources, after: Resources, events: EngineEvent[], kubernetes?: string): string[] | undefined =>
  expectedRollout(changes(before, after, events, kubernetes), before)?.steps.map(({ name }) => name);

const both = (more: Machine = {}): Resources => resources({ cp01: more, wk01: more });

describe("the rollout of a preview", () => {
  it("has a step for each machine with another Talos, and one for Kubernetes", () => {
    const events = [event("update", "cp01"), event("update", "wk01")];
    expect(steps(both(), both({ talos: "v1.13.10" }), events, "v1.36.5")).to.deep.equal([
      "talos/cp01",
      "talos/wk01",
      "kubernetes",
    ]);
  });

  it("has a step for each machine that reboots, with what the engine has to update for it", () => {
    const events = [event("update", "cp01"), event("update", "wk01")];
    const after = resources({ cp01: {}, wk01: { udev: "a" } });
    expect(steps(both(), after, events)).to.deep.equal(["configure/wk01"]);
    expect(changes(both(), after, events).targets.wk01).to.deep.equal([
      urnOf(resourceTypes.machineConfiguration, "wk01"),
    ]);
  });

  it("has a step for a machine that goes, and one for a machine that is created", () => {
    expect(steps(both(), resources({ cp01: {} }), [event("delete", "wk01")])).to.deep.equal(["remove/wk01"]);
    const more = resources({ cp01: {}, wk01: {}, wk02: {} });
    expect(steps(both(), more, [event("create", "wk02")])).to.deep.equal(["join/wk02"]);
  });

  it("has a step for a machine that is destroyed and created again, and joins one that an interrupted update destroyed", () => {
    const replaced = resources({ cp01: {}, wk01: { talos: "v1.13.10" } });
    const again = [event("create-replacement", "wk01"), event("replace", "wk01")];
    const destroyed = event("delete-replaced", "wk01", resourceTypes.virtualMachine);
    expect(steps(both(), replaced, [destroyed, ...again])).to.deep.equal(["replace/wk01"]);
    expect(steps(both(), replaced, again)).to.deep.equal(["join/wk01"]);
  });

  it("has a step for a machine of metal that is wiped and set up anew, and none for a configuration whose deletion does nothing", () => {
    const replaced = resources({ cp01: {}, wk01: { udev: "a" } });
    const events = (onDestroy: object) => {
      const deletion = event("delete-replaced", "wk01");
      const { metadata } = deletion.resourcePreEvent ?? {};
      if (metadata) Object.assign(metadata, { old: { inputs: { onDestroy } } });
      return [deletion, event("create-replacement", "wk01"), event("replace", "wk01")];
    };
    expect(steps(both(), replaced, events({ reset: true }))).to.deep.equal(["replace/wk01"]);
    expect(steps(both(), replaced, events({ reset: false }))).to.deep.equal(["join/wk01"]);
  });

  it("is refused where a machine could not open its disks any more", () => {
    const after = resources({ cp01: { encryption: "nodeID" }, wk01: {} });
    const plan = expectedRollout(changes(both(), after, [event("update", "cp01")]), both());
    expect(plan?.steps).to.deep.equal([]);
    expect(plan?.refusals.join()).to.contain("cp01 could not open its disks when it restarts");
  });

  it("has a step for a machine of metal whose SecureBoot changes, and is refused where it has volumes or is not replaced", () => {
    const secured = resources({ cp01: {}, wk01: { isSecure: true } });
    const deletion = event("delete-replaced", "wk01");
    Object.assign(deletion.resourcePreEvent?.metadata ?? {}, { old: { inputs: { onDestroy: { reset: true } } } });
    const events = [deletion, event("replace", "wk01")];
    const [step, ...others] = expectedRollout(changes(both(), secured, events), both())?.steps ?? [];
    expect(step).to.include({ name: "replace/wk01", secureBoot: true });
    expect(others).to.deep.equal([]);
    const refusals = (before: Resources, all: EngineEvent[]) =>
      expectedRollout(changes(before, secured, all), before)?.refusals.join();
    const holding = resources({ cp01: {}, wk01: { volume: "data" } });
    for (const all of [events, [event("update", "wk01")]])
      expect(refusals(holding, all)).to.contain("it has volumes of its own (data)");
    expect(refusals(both(), [event("update", "wk01")])).to.contain("wk01: SecureBoot is turned on at the machine only");
  });

  it("is refused where the only control plane is replaced, or etcd would be bootstrapped again", () => {
    const refusals = (events: EngineEvent[]) =>
      expectedRollout(changes(both(), both(), events), both())?.refusals.join();
    const replaced = [event("delete-replaced", "cp01", resourceTypes.virtualMachine), event("replace", "cp01")];
    expect(refusals(replaced)).to.contain("cp01 would be replaced, and etcd has 1 control plane");
    expect(refusals([event("create", "bootstrap", resourceTypes.bootstrap)])).to.contain("would bootstrap etcd again");
  });

  /** A control plane at an address, with an endpoint whose host it answers for, and settings of its API server. */
  const at = (node: string, endpoint: string, apiServer: object = {}): Resources => {
    const machine = { install: { image: "factory.example/metal-installer/abc:v1.13.9" } };
    const vip = { apiVersion: "v1alpha1", kind: "Layer2VIPConfig", name: new URL(endpoint).hostname };
    return new Map([
      [
        urnOf(resourceTypes.machineConfiguration, "cp01"),
        {
          inputs: readValues({
            node,
            machineConfigurationInput: stringify({ cluster: { controlPlane: { endpoint } } }),
            configPatches: [stringify({ machine, cluster: { apiServer } }), stringify(vip)],
          }),
          outputs: readValues({ machineConfiguration: stringify({ machine }) }),
        },
      ],
    ]);
  };

  it("has a step for each control plane whose API server restarts for another endpoint", () => {
    const [old, now] = ["https://10.20.0.10:6443", "https://k8s.example.com:6443"];
    const certSANs = ["10.20.0.10", "k8s.example.com"];
    const extraArgs = { "service-account-issuer": old, "api-audiences": old };
    const before = at("10.20.0.11", old, { certSANs, extraArgs });
    const after = at("10.20.0.11", now, { certSANs, extraArgs });
    const [urn, beside] = [...after][0] ?? ["", { inputs: {}, outputs: {} }];
    const vips = [...before][0]?.[1].inputs.configPatches as string[];
    const kept: Resources = new Map([[urn, { ...beside, inputs: { ...beside.inputs, configPatches: vips } }]]);
    const plan = expectedRollout(changes(before, kept, [event("update", "cp01")]), before);
    expect(plan?.refusals).to.deep.equal([]);
    expect(plan?.steps.map(({ name, what }) => `${name} ${what}`)).to.deep.equal([
      "configure/cp01 restarts its API server for another cluster.endpoint",
    ]);
  });

  it("is refused where a machine would get another address, or the cluster another endpoint or VIP", () => {
    const before = at("10.20.0.11", "https://10.20.0.10:6443");
    const refusals = (after: Resources) =>
      expectedRollout(changes(before, after, [event("update", "cp01")]), before)?.refusals;
    expect(refusals(before)).to.deep.equal([]);
    expect(refusals(at("10.20.0.12", "https://10.20.0.10:6443"))?.join())
      .to.contain("cp01 would go from 10.20.0.11 to 10.20.0.12")
      .and.contain("npx hearth deploy replaces the machine");
    expect(refusals(at("10.20.0.11", "https://10.20.0.9:6443"))?.join())
      .to.contain("cluster.endpoint would go from https://10.20.0.10:6443 to https://10.20.0.9:6443")
      .and.contain("no machine would answer at 10.20.0.10 any more");
  });

  it("is judged by control planes that were some before, and not by a worker that becomes one", () => {
    const before: Resources = new Map([...resources({ cp01: {} }), ...resources({ wk01: {} })]);
    const turned = new Map(before);
    const [plane, worker] = ["cp01", "wk01"].map((name) => urnOf(resourceTypes.machineConfiguration, name));
    turned.set(worker ?? "", before.get(plane ?? "") ?? { inputs: {}, outputs: {} });
    const events = [event("delete-replaced", "wk01", resourceTypes.virtualMachine), event("replace", "wk01")];
    expect(changes(before, turned, events).reach).to.equal(undefined);
    expect(changes(before, turned, [...events, event("update", "cp01")]).reach).to.not.equal(undefined);
  });

  it("has a step for a machine that is replaced for another address, and reaches it there afterwards", () => {
    const [before, after] = ["10.20.0.21", "10.20.0.29"].map((node): Resources => {
      const all = new Map(both());
      const urn = urnOf(resourceTypes.machineConfiguration, "wk01");
      const machine = all.get(urn);
      if (machine) all.set(urn, { ...machine, inputs: { ...machine.inputs, node } });
      return all;
    });
    const destroyed = event("delete-replaced", "wk01", resourceTypes.virtualMachine);
    const events = [destroyed, event("create-replacement", "wk01"), event("replace", "wk01")];
    const plan = expectedRollout(changes(before ?? both(), after ?? both(), events), before ?? both());
    expect(plan?.refusals).to.deep.equal([]);
    expect(plan?.steps.map(({ name }) => name)).to.deep.equal(["replace/wk01"]);
    expect(changes(before ?? both(), after ?? both(), events).joining.wk01?.address).to.equal("10.20.0.29");
  });

  it("creates with a machine what it needs, and nothing of another one", () => {
    const more = resources({ cp01: {}, wk01: {}, wk02: {}, wk03: {} });
    const image = event("create", "pve1-abc", resourceTypes.image);
    const unrelated = event("create", "dashboard", resourceTypes.namespace);
    const created = ["wk02", "wk03"].flatMap((name) => [
      event("create", name, resourceTypes.virtualMachine),
      event("create", name),
    ]);
    const { targets, joining } = changes(both(), more, [image, unrelated, ...created]);
    expect(targets.wk02).to.have.members([
      urnOf(resourceTypes.virtualMachine, "wk02"),
      urnOf(resourceTypes.machineConfiguration, "wk02"),
      urnOf(resourceTypes.image, "pve1-abc"),
    ]);
    expect(joining.wk02).to.deep.equal({ role: "worker", address: "10.20.0.21" });
  });

  it("migrates a machine in a step, with the image that the other host lacks", () => {
    const urn = urnOf(resourceTypes.virtualMachine, "wk01");
    const on = (nodeName: string): Resources =>
      new Map([...both(), [urn, { inputs: readValues({ nodeName, rebootAfterUpdate: false }), outputs: {} }]]);
    const image = event("create", "pve2-abc", resourceTypes.image);
    const update = event("update", "wk01", resourceTypes.virtualMachine);
    Object.assign(update.resourcePreEvent?.metadata ?? {}, {
      detailedDiff: { nodeName: { diffKind: "update", inputDiff: false } },
    });
    expect(steps(on("pve1"), on("pve2"), [image, update])).to.deep.equal(["configure/wk01"]);
    const { targets } = changes(on("pve1"), on("pve2"), [image, update]);
    expect(targets.wk01).to.have.members([urn, urnOf(resourceTypes.image, "pve2-abc")]);
  });

  it("is none for a stack that was never deployed", () => {
    expect(steps(new Map(), both(), [event("create", "cp01")])).to.equal(undefined);
  });

  it("registers a schematic before any machine installs it, with its component where that is new", () => {
    const created = [
      event("create", "image-profiles", "hearth:talos:ImageProfiles"),
      event("create", "standard-abc", resourceTypes.schematic),
    ];
    expect(changes(both(), both(), created).registrations).to.have.length(2);
    expect(changes(both(), both(), created.slice(0, 1)).registrations).to.deep.equal([]);
  });

  it("is in the report: steps, what is out of service, how long, or why it is refused", () => {
    const preview = {
      ...{ stack: "dev", head: "Commit `a`", base: undefined, state: "today", resources: [], same: 38, machines: [] },
      ...{ restarts: [], tree: [], policy: undefined, problems: [], warnings: [], unknown: [] },
    };
    const rollout = (kubernetes: string) => expectedRollout(changes(both(), both(), [], kubernetes), both());
    expect(report({ ...preview, rollout: rollout("v1.36.5") }))
      .to.contain("`npx hearth deploy dev` carries this step out")
      .and.contain("| `kubernetes` | upgrades Kubernetes v1.36.4 → v1.36.5 | the Kubernetes API");
    expect(report({ ...preview, rollout: rollout("v1.38.0") })).to.contain("✗ **refused**: Kubernetes v1.36.4 runs");
    expect(report({ ...preview, rollout: rollout("v1.36.4") })).to.not.contain("Rollout");
  });
});
