import { expect } from "chai";

import type { MachineState } from "../../../../lib/cluster/machine-state.ts";
import { describePlan, planFor, type Situation } from "../../../../lib/recovery/plan.ts";

/** One control plane and one worker, all well, with the state. */
const situation = (change: Partial<Situation> = {}): Situation => ({
  state: "whole",
  machines: machines("member", "member"),
  hasEscrow: false,
  hasSnapshot: false,
  ...change,
});

const machines = (controlPlane: MachineState, worker: MachineState): Situation["machines"] => ({
  cp01: { role: "controlplane", state: controlPlane, hasEtcd: controlPlane === "member" },
  wk01: { role: "worker", state: worker, hasEtcd: false },
});

describe("planFor", () => {
  it("refuses where nothing is lost", () => {
    expect(() => planFor(situation())).to.throw("There is nothing to rebuild");
  });

  it("rebuilds all machines with the identity that the state has", () => {
    expect(planFor(situation({ machines: machines("silent", "silent") }))).to.deep.equal({
      case: "machines",
      loss: { machines: ["cp01", "wk01"], isClusterLost: true },
      wipes: [],
      recovers: false,
      losesVolumes: false,
    });
  });

  it("keeps the cluster where only a worker is lost", () => {
    const plan = planFor(situation({ machines: machines("member", "blank"), hasSnapshot: true }));
    expect(plan).to.deep.equal({
      case: "machines",
      loss: { machines: ["wk01"], isClusterLost: false },
      wipes: [],
      recovers: false,
      losesVolumes: false,
    });
  });

  it("keeps the cluster where one control plane of three is lost", () => {
    const plane = (state: MachineState) => ({ role: "controlplane" as const, state, hasEtcd: state === "member" });
    const three = { cp01: plane("silent"), cp02: plane("member"), cp03: plane("member") };
    expect(planFor(situation({ machines: three })).loss).to.deep.equal({ machines: ["cp01"], isClusterLost: false });
  });

  it("founds etcd anew where it has lost its quorum, and wipes what is left of it", () => {
    const plane = (state: MachineState) => ({ role: "controlplane" as const, state, hasEtcd: state === "member" });
    const three = { cp01: plane("silent"), cp02: plane("member"), cp03: plane("silent") };
    expect(planFor(situation({ machines: three, hasSnapshot: true }))).to.deep.equal({
      case: "machines",
      loss: { machines: ["cp01", "cp03"], isClusterLost: true },
      wipes: ["cp02"],
      recovers: true,
      // Those on the disks of the survivor may live.
      losesVolumes: false,
    });
  });

  it("founds the cluster anew where control planes run without etcd", () => {
    const all = machines("member", "member");
    const without = { ...all, cp01: { role: "controlplane" as const, state: "member" as const, hasEtcd: false } };
    expect(planFor(situation({ machines: without, hasSnapshot: true }))).to.deep.include({
      case: "machines",
      recovers: true,
    });
  });

  it("takes over what runs where only the state is lost", () => {
    expect(planFor(situation({ state: "lost", hasEscrow: true })).case).to.equal("state");
  });

  it("asks for the escrow where the state is lost", () => {
    expect(() => planFor(situation({ state: "lost" }))).to.throw("name its file with --from");
  });

  it("begins with the escrow where everything is lost", () => {
    const lost = situation({
      state: "lost",
      hasEscrow: true,
      machines: machines("silent", "silent"),
      hasSnapshot: true,
    });
    expect(planFor(lost)).to.deep.include({ case: "all", recovers: true, losesVolumes: true });
  });

  it("refuses to call a takeover what would have to make a machine", () => {
    const half = situation({ state: "lost", hasEscrow: true, machines: machines("member", "silent") });
    expect(() => planFor(half, { case: "state" })).to.throw("wk01 is no member of the cluster");
  });

  it("takes up an update that was interrupted", () => {
    expect(planFor(situation({ state: "interrupted" })).case).to.equal("interrupted");
  });

  it("takes nothing for lost that an interrupted update had not come to", () => {
    const early = situation({
      state: "interrupted",
      machines: machines("silent", "blank"),
      unmade: { machines: ["wk01"], cluster: true },
    });
    expect(planFor(early)).to.deep.include({ case: "interrupted", loss: { machines: [], isClusterLost: false } });
    expect(describePlan(planFor(early), early).join("\n")).not.to.contain("kept");
  });

  it("takes a member for lost that does not answer, though an update was interrupted", () => {
    const late = situation({
      state: "interrupted",
      machines: machines("silent", "blank"),
      unmade: { machines: ["wk01"], cluster: false },
    });
    expect(planFor(late)).to.deep.include({ case: "machines", loss: { machines: ["cp01"], isClusterLost: true } });
  });

  it("believes whoever gives a snapshot that there was a cluster", () => {
    const again = situation({
      state: "interrupted",
      machines: machines("silent", "silent"),
      unmade: { machines: ["cp01", "wk01"], cluster: true },
      hasSnapshot: true,
    });
    expect(planFor(again)).to.deep.include({ case: "machines", recovers: true });
  });
});

describe("describePlan", () => {
  it("names what is made anew, what is kept, and how etcd begins", () => {
    const lost = situation({ machines: machines("silent", "member"), hasSnapshot: true });
    expect(describePlan(planFor(lost), lost).join("\n"))
      .to.match(/made anew +cp01\n/)
      .and.to.match(/kept +wk01\n/)
      .and.to.match(/etcd +recovered from the snapshot/);
  });
});
