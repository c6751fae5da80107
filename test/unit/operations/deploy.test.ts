import { expect } from "chai";
import { stringify } from "yaml";

import { resourceTypes } from "../../../components/resource-types.ts";
import type { EngineEvent } from "../../../lib/engine/events.ts";
import { Losses, refusals } from "../../../operations/deploy/plan.ts";
import { DriftFinder, driftReport } from "../../../operations/drift/drift.ts";
import type { Exemption } from "../../../infra/config/policy.ts";
import { protectedAmong } from "../../../policy/protection.ts";
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
  const lost = new Losses();
  for (const event of events) lost.add(event);
  return refusals(lost, three, exemptions, "2027-01-01");
};

const mayGo = (...resources: string[]): Exemption => ({
  ...{ policy: "kept-resources", reason: "The cluster moves to another house", until: "2027-01-31" },
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
    expect(message).to.contain("the machine wk02 would be deleted, and all that is on its disks with it");
    expect(others).to.deep.equal([]);
  });

  for (const [what, type, name] of [
    ["root secret", resourceTypes.machineSecrets, "machine-secrets"],
    ["root secret", resourceTypes.password, "age-seed"],
    ["tunnel", resourceTypes.tunnel, "tunnel"],
    ["volume of", resourceTypes.namespace, "flux-system"],
    ["machine", resourceTypes.machineConfiguration, "wk01"],
  ] as const) {
    it(`is refused where the ${what} ${name} goes, until an exemption names it`, () => {
      const lost = step("delete", type, name);
      expect(refusedOf([], lost)[0]).to.contain(`the ${what} ${name} would be deleted`);
      expect(refusedOf([mayGo(name)], lost)).to.deep.equal([]);
      expect(refusedOf([{ ...mayGo(name), until: "2026-12-31" }], lost)[0]).to.contain("ended on 2026-12-31");
      expect(refusedOf([], step("update", type, name))).to.deep.equal([]);
    });
  }

  const detailed = (op: string, type: string, name: string, old?: object, now?: object): EngineEvent => ({
    resourcePreEvent: { metadata: { ...{ op, type, urn: urnOf(type, name) }, old: old ?? null, new: now ?? null } },
  });

  it("is refused where an update destroys a disk", () => {
    const disks = (...interfaces: string[]) => ({ inputs: { disks: interfaces.map((each) => ({ interface: each })) } });
    const change = (before: object, after: object) =>
      refusedOf([], detailed("update", resourceTypes.virtualMachine, "wk01", before, after));
    const [message] = change(disks("scsi0", "scsi1"), disks("scsi0"));
    expect(message).to.contain("the volume of wk01 would be deleted");
    expect(change(disks("scsi0"), disks("scsi0", "scsi1"))).to.deep.equal([]);
  });

  it("may delete a seed that was rotated, off which the protection was taken", () => {
    const seed = (protect: boolean) =>
      refusedOf([], detailed("delete", resourceTypes.password, "age-seed", { protect }));
    expect(seed(false)).to.deep.equal([]);
    expect(seed(true)).to.have.length(1);
  });

  it("is refused where a machine would be reset whose address another node has, whatever is exempt", () => {
    const type = resourceTypes.machineConfiguration;
    const inputs = (node: string) => ({ inputs: { node } });
    const rename = (address: string) =>
      refusedOf(
        [mayGo("wk01")],
        detailed("create", type, "wk09", undefined, inputs(address)),
        detailed("delete", type, "wk01", inputs("10.30.0.21")),
      );
    const [message, ...others] = rename("10.30.0.21");
    expect(message).to.contain("wk01 and wk09 are the same machine").and.contain("renamedFrom: wk01");
    expect(others).to.deep.equal([]);
    expect(rename("10.30.0.29")).to.deep.equal([]);
  });
});

describe("the protection", () => {
  const { machineConfiguration, password } = resourceTypes;
  const recorded = (type: string, name: string, node?: string): Recorded => ({
    ...{ urn: urnOf(type, name), type, inputs: { node }, outputs: {}, protect: true, ignoreChanges: [] },
  });

  it("is taken off what an exemption names, and off no machine that another node is now", () => {
    const all = [
      recorded(machineConfiguration, "wk01", "10.30.0.21"),
      recorded(machineConfiguration, "wk02", "10.30.0.22"),
      recorded(password, "age-seed"),
      recorded(password, "wk02"),
      recorded(resourceTypes.dnsRecord, "wk02"),
    ];
    const open = protectedAmong(all, ["wk01", "wk02"], { wk03: { address: "10.30.0.21" } });
    expect(open.map(({ urn }) => urn)).to.deep.equal([urnOf(machineConfiguration, "wk02"), urnOf(password, "wk02")]);
    const stays = protectedAmong(all, ["wk01"], { wk01: { address: "10.30.0.21" } });
    expect(stays.map(({ urn }) => urn)).to.deep.equal([urnOf(machineConfiguration, "wk01")]);
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
