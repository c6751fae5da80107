import { expect } from "chai";
import { stringify } from "yaml";

import { resourceTypes } from "../../../components/resource-types.ts";
import type { EngineEvent } from "../../../lib/engine/events.ts";
import { LostMachines, refusals } from "../../../operations/deploy/plan.ts";
import { DriftFinder, driftReport } from "../../../operations/drift/drift.ts";
import type { Exemption } from "../../../infra/config/policy.ts";
import type { Recorded } from "../../../policy/stack.ts";

const urnOf = (type: string, name: string): string => `urn:pulumi:prod::hearth::${type}::${name}`;

const step = (op: string, type: string, name: string): EngineEvent => ({
  timestamp: 0,
  resourcePreEvent: { metadata: { op, type, urn: urnOf(type, name) } },
});

/** A state with machines that the names of their nodes tell apart: cp for control planes. */
const state = (...names: string[]): Recorded[] =>
  names.map((name) => ({
    ...{
      urn: urnOf(resourceTypes.machineConfiguration, name),
      type: resourceTypes.machineConfiguration,
      outputs: {},
      protect: false,
      ignoreChanges: [],
    },
    inputs: { configPatches: [stringify(name.includes("cp") ? { cluster: { apiServer: {} } } : { machine: {} })] },
  }));

const three = state("cp01", "cp02", "cp03", "wk01");

const refusedOf = (exemptions: Exemption[], ...events: EngineEvent[]): string[] => {
  const lost = new LostMachines();
  for (const event of events) lost.add(event);
  return refusals(lost, three, exemptions, "2027-01-01");
};

const mayGo = (...resources: string[]): Exemption => ({
  ...{ policy: "kept-machines", reason: "The cluster moves to another house", until: "2027-01-31" },
  resources,
});

/** What is refused of a plan where the virtual machines themselves may go. */
const refused = (...events: EngineEvent[]): string[] => refusedOf([mayGo("cp01", "cp02", "cp03", "wk01")], ...events);

describe("a plan of the engine", () => {
  it("is carried out where one control plane is replaced, by its machine and its configuration", () => {
    expect(
      refused(
        step("create-replacement", resourceTypes.virtualMachine, "cp01"),
        step("replace", resourceTypes.virtualMachine, "cp01"),
        step("delete-replaced", resourceTypes.machineConfiguration, "cp01"),
      ),
    ).to.deep.equal([]);
  });

  it("is refused where two control planes go, whatever takes them", () => {
    const [first, ...others] = refused(
      step("replace", resourceTypes.virtualMachine, "cp01"),
      step("delete", resourceTypes.machineConfiguration, "cp03"),
    );
    expect(first).to.contain("cp01 and cp03 of 3 control planes would be replaced or deleted");
    expect(others).to.deep.equal([]);
  });

  it("may update all of them, and replace workers", () => {
    expect(
      refused(
        ...["cp01", "cp02", "cp03"].map((name) => step("update", resourceTypes.machineConfiguration, name)),
        step("replace", resourceTypes.virtualMachine, "wk01"),
        step("delete", "cloudflare:index/dnsRecord:DnsRecord", "cp01"),
      ),
    ).to.deep.equal([]);
  });

  it("may do it where exemptions say why", () => {
    const names = ["cp01", "cp02", "cp03"];
    const reason = "The cluster moves to another house";
    const steps = names.map((name) => step("delete", resourceTypes.virtualMachine, name));
    expect(refusedOf([{ policy: "control-plane-quorum", reason }, mayGo(...names)], ...steps)).to.deep.equal([]);
  });

  it("is refused where a virtual machine goes that no exemption names", () => {
    const [message, ...others] = refusedOf(
      [mayGo("wk01")],
      step("replace", resourceTypes.virtualMachine, "wk01"),
      step("delete", resourceTypes.virtualMachine, "wk02"),
      step("update", resourceTypes.virtualMachine, "wk03"),
    );
    expect(message).to.contain("the virtual machine wk02 would be deleted, and all its disks with it");
    expect(others).to.deep.equal([]);
  });
});

describe("drift", () => {
  const type = "kubernetes:core/v1:ConfigMap";
  const refreshed = (op: string, name: string, ...paths: string[]): EngineEvent => ({
    timestamp: 0,
    resOutputsEvent: {
      metadata: {
        ...{ op, type, urn: urnOf(type, name) },
        detailedDiff: Object.fromEntries(paths.map((path) => [path, { diffKind: "update", inputDiff: false }])),
      },
    },
  });
  const found = (ignored: string[], ...events: EngineEvent[]) => {
    const finder = new DriftFinder(new Map([[urnOf(type, "settings"), ignored]]));
    for (const event of events) finder.add(event);
    return finder.found;
  };

  it("is what a refresh would update or delete", () => {
    expect(
      found(
        [],
        refreshed("same", "other"),
        refreshed("update", "settings", "data.b", "data.a"),
        refreshed("delete", "gone"),
      ),
    ).to.deep.equal([
      { resource: "ConfigMap settings", isGone: false, paths: ["data.a", "data.b"] },
      { resource: "ConfigMap gone", isGone: true, paths: [] },
    ]);
  });

  it("is not what the program leaves to others", () => {
    expect(
      found(["metadata.labels"], refreshed("update", "settings", "metadata.labels.flux", "metadata.labels")),
    ).to.deep.equal([]);
    expect(found(["metadata.labels"], refreshed("update", "settings", "metadata.labelsOfMine"))).to.have.length(1);
  });

  it("is told as a move where a virtual machine runs on another host, which is left there by writing it down", () => {
    const machine = resourceTypes.virtualMachine;
    const finder = new DriftFinder(new Map());
    finder.add({
      timestamp: 0,
      resOutputsEvent: {
        metadata: {
          ...{ op: "update", type: machine, urn: urnOf(machine, "wk01") },
          detailedDiff: { nodeName: { diffKind: "update", inputDiff: false } },
          old: { outputs: { nodeName: "pve1" } },
          new: { outputs: { nodeName: "pve2" } },
        },
      },
    });
    const report = driftReport("dev", finder.found);
    expect(report).to.contain("| VmLegacy wk01 | was moved from pve1 to pve2 | `nodeName` |");
    expect(report).to.contain("write `proxmox.host: pve2` for VmLegacy wk01 into the stack file");
  });

  it("is told as a table, and its absence as a sentence", () => {
    expect(driftReport("dev", [])).to.equal("Everything of `dev` is as its state says.\n");
    const report = driftReport(
      "dev",
      found([], refreshed("update", "settings", "data.a"), refreshed("delete", "gone")),
    );
    expect(report).to.contain("| ConfigMap settings | was changed | `data.a` |");
    expect(report).to.contain("| ConfigMap gone | is gone |  |");
  });
});
