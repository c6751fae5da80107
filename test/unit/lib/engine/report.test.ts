import { expect } from "chai";
import type { EngineEvent } from "../../../../lib/engine/events.ts";
import { phaseOf, RunReport } from "../../../../lib/engine/report.ts";

const vm = "urn:pulumi:dev::hearth::hearth:machines:ProxmoxMachines$proxmoxve:index/vmLegacy:VmLegacy::den-dev-cp01";
const step = (kind: "resourcePreEvent" | "resOutputsEvent" | "resOpFailedEvent", op = "create"): EngineEvent => ({
  timestamp: 0,
  [kind]: { metadata: { op, urn: vm, type: "proxmoxve:index/vmLegacy:VmLegacy" } },
});
const summary = (resourceChanges: Record<string, number>): EngineEvent => ({
  timestamp: 0,
  summaryEvent: { durationSeconds: 1, resourceChanges },
});

describe("phaseOf", () => {
  it("is the domain of the outermost component", () => {
    expect(phaseOf(vm)).to.equal("machines");
  });

  it("is the provider where there is no component", () => {
    expect(phaseOf("urn:pulumi:dev::hearth::random:index/randomBytes:RandomBytes::seed")).to.equal("random");
  });
});

describe("RunReport", () => {
  it("times a phase from its first resource to its last", () => {
    let now = 1000;
    const report = new RunReport(() => now);
    report.add(step("resourcePreEvent"));
    now = 3500;
    report.add(step("resOutputsEvent"));
    expect(report.phases.get("machines")).to.include({ seconds: 2.5, done: 1 });
  });

  it("tells what is under way", () => {
    const report = new RunReport();
    report.add(step("resourcePreEvent"));
    expect(report.phases.get("machines")?.running).to.deep.equal(["den-dev-cp01"]);
    report.add(step("resOpFailedEvent"));
    expect(report.phases.get("machines")?.running).to.deep.equal([]);
  });

  it("is unchanged where everything is the same, and changed where one thing is not", () => {
    const [same, changed] = [new RunReport(), new RunReport()];
    same.add(summary({ same: 30, read: 2 }));
    changed.add(summary({ same: 30, update: 1 }));
    expect(same.isUnchanged).to.equal(true);
    expect(changed.isUnchanged).to.equal(false);
  });

  it("is not unchanged before the engine has summed up", () => {
    expect(new RunReport().isUnchanged).to.equal(false);
  });

  it("keeps errors with the name of their resource", () => {
    const report = new RunReport();
    const add = (message: string): unknown =>
      report.add({ timestamp: 0, diagnosticEvent: { urn: vm, message, severity: "error" } });
    add("VM 2011 already exists\n");
    add("update failed");
    expect(report.errors).to.deep.equal(["den-dev-cp01: VM 2011 already exists"]);
  });

  it("keeps what policies refuse as errors, and what they only say apart", () => {
    const report = new RunReport();
    const add = (enforcementLevel: string, message: string): unknown =>
      report.add({
        timestamp: 0,
        policyEvent: { policyPackName: "hearth", policyName: "proxied-records", enforcementLevel, message },
      });
    add("mandatory", "<{%reset%}>Records are proxied.\nthe record shows 203.0.113.7<{%reset%}>\n");
    add("advisory", "exempt");
    expect(report.errors).to.deep.equal(["proxied-records: the record shows 203.0.113.7"]);
    expect(report.advice).to.deep.equal(["proxied-records: exempt"]);
  });

  it("does not log what the engine says for debugging", () => {
    const event: EngineEvent = { timestamp: 0, diagnosticEvent: { message: "inputs: …", severity: "debug" } };
    expect(new RunReport().add(event)).to.equal(undefined);
  });
});
