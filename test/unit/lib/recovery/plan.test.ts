import { expect } from "chai";

import { describePlan, planFor, type FoundMachine, type Situation } from "../../../../lib/recovery/plan.ts";

/** One control plane and one worker, all well, with the state. */
const situation = (change: Partial<Situation> = {}): Situation => ({
  state: "whole",
  machines: machines("member", "member"),
  hasEscrow: false,
  hasSnapshot: false,
  ...change,
});

const machines = (controlPlane: FoundMachine["state"], worker: FoundMachine["state"]): Situation["machines"] => ({
  cp01: { role: "controlplane", state: controlPlane, hasEtcd: controlPlane === "member" },
  wk01: { role: "worker", state: worker, hasEtcd: false },
});

describe("planFor", () => {
  it("refuses where nothing is lost", () => {
    expect(() => planFor(situation())).to.throw("There is nothing to rebuild");
  });

  it("rebuilds all machines with the identity that the state has", () => {
    expect(planFor(situation({ machines: machines("absent", "absent") }))).to.deep.equal({
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
    const plane = (state: FoundMachine["state"]) => ({
      role: "controlplane" as const,
      state,
      hasEtcd: state === "member",
    });
    const three = { cp01: plane("absent"), cp02: plane("member"), cp03: plane("member") };
    expect(planFor(situation({ machines: three })).loss).to.deep.equal({ machines: ["cp01"], isClusterLost: false });
  });

  it("founds etcd anew where it has lost its quorum, and wipes what is left of it", () => {
    const plane = (state: FoundMachine["state"]) => ({
      role: "controlplane" as const,
      state,
      hasEtcd: state === "member",
    });
    const cp02 = { ...plane("member"), hasLeader: false, keepsCeph: false };
    const three = { cp01: plane("absent"), cp02, cp03: plane("absent") };
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
      machines: machines("absent", "absent"),
      hasSnapshot: true,
    });
    expect(planFor(lost)).to.deep.include({ case: "all", recovers: true, losesVolumes: true });
  });

  it("refuses to call a takeover what would have to make a machine", () => {
    const half = situation({ state: "lost", hasEscrow: true, machines: machines("member", "absent") });
    expect(() => planFor(half, { case: "state" })).to.throw("wk01 is no member of the cluster");
  });

  it("stops where a machine does not answer, with what was asked and what to say", () => {
    const silent: Situation["machines"] = {
      cp01: {
        role: "controlplane",
        state: "silent",
        hasEtcd: false,
        asked: ["Proxmox: its VM 2011 is stopped on pve1"],
      },
      wk01: { role: "worker", state: "silent", hasEtcd: false },
    };
    const all = situation({ machines: silent, hasSnapshot: true });
    expect(() => planFor(all))
      .to.throw("cp01: does not answer; Proxmox: its VM 2011 is stopped on pve1")
      .with.property("message")
      .that.contains("--lost cp01 --lost wk01");
    expect(() => planFor({ ...all, state: "lost", hasEscrow: true }, { case: "all" })).to.throw("so nothing is done");
  });

  it("takes no machine for lost whose address another cluster's certificate answers at, whatever a snapshot says", () => {
    const foreign = situation({ machines: machines("foreign", "foreign"), hasSnapshot: true });
    expect(() => planFor(foreign))
      .to.throw("cp01: answers with a certificate that is not of this cluster's authority")
      .with.property("message")
      .that.does.not.contain("--lost");
  });

  describe("after an interrupted update whose state has no bootstrap", () => {
    const plane = (change: Partial<FoundMachine>): FoundMachine => ({
      role: "controlplane",
      state: "member",
      hasEtcd: true,
      ...change,
    });
    const blank = plane({ state: "blank", hasEtcd: false });
    const interrupted = (machines: Situation["machines"], change: Partial<Situation> = {}) =>
      situation({ state: "interrupted", unmade: { machines: [], cluster: true }, machines, ...change });

    it("begins no second etcd beside control planes that have one", () => {
      const living = plane({ hasLeader: true });
      expect(planFor(interrupted({ cp01: blank, cp02: living, cp03: living }))).to.deep.include({
        case: "machines",
        loss: { machines: ["cp01"], isClusterLost: false },
      });
    });

    it("takes an etcd without a quorum for what is left of a cluster", () => {
      const left = plane({ hasLeader: false });
      expect(() => planFor(interrupted({ cp01: blank, cp02: left, cp03: blank }))).to.throw(
        "would be wiped: give a snapshot",
      );
    });

    it("stops where another control plane than the bootstrap node may have data", () => {
      const unsure = plane({ hasEtcd: undefined });
      expect(() => planFor(interrupted({ cp01: blank, cp02: unsure, cp03: blank }))).to.throw(
        "etcd on cp02 may have data and does not run",
      );
    });

    it("makes the cluster where no control plane has an etcd", () => {
      const fresh = plane({ hasEtcd: false });
      expect(planFor(interrupted({ cp01: fresh, cp02: blank, cp03: blank }))).to.deep.include({
        case: "interrupted",
        loss: { machines: [], isClusterLost: false },
      });
      // As a machine does that was just configured, or that this computer cannot ask.
      const just = plane({ hasEtcd: undefined });
      expect(planFor(interrupted({ cp01: just, cp02: blank, cp03: blank })).case).to.equal("interrupted");
    });
  });

  describe("with one of three control planes in reach", () => {
    const plane = (state: FoundMachine["state"]): FoundMachine => {
      return { role: "controlplane", state, hasEtcd: state === "member" };
    };
    const three = (survivor: Partial<FoundMachine>, others: FoundMachine["state"] = "absent") =>
      situation({
        machines: { cp01: plane(others), cp02: { ...plane("member"), ...survivor }, cp03: plane(others) },
        hasSnapshot: true,
      });

    it("does not reset it while the others are unknown", () => {
      expect(() => planFor(three({ hasLeader: false }, "silent"))).to.throw("--lost cp01 --lost cp03");
    });

    it("founds no second etcd where the one that lives has a leader", () => {
      const { loss, wipes, recovers } = planFor(three({ hasLeader: true }));
      expect({ loss, wipes, recovers }).to.deep.equal({
        loss: { machines: ["cp01", "cp03"], isClusterLost: false },
        wipes: [],
        recovers: false,
      });
    });

    it("does not wipe data of Ceph, nor what may be, unless a person says so", () => {
      const left = (keepsCeph?: boolean) => three({ hasLeader: false, keepsCeph });
      expect(() => planFor(left(true)))
        .to.throw("cp02: has data in /var/lib/rook")
        .with.property("message")
        .that.contains("copy /var/lib/rook rook-cp02")
        .and.contains("--lost-data cp02");
      expect(() => planFor(left())).to.throw("cp02: does not say whether it has data in /var/lib/rook");
      expect(() => planFor(left(true), { lostData: ["cp03"] })).to.throw("cp02: has data");
      const plan = planFor(left(true), { lostData: ["cp02"] });
      expect(plan).to.deep.include({ wipes: ["cp02"], wipesCeph: ["cp02"] });
      expect(describePlan(plan, left(true)).join("\n")).to.contain(
        "everything below /var: images, logs, host paths, and Ceph's monitors in /var/lib/rook on cp02",
      );
      expect(planFor(left(false)))
        .to.deep.include({ wipes: ["cp02"] })
        .and.not.to.have.property("wipesCeph");
    });

    it("does not wipe an etcd that does not say whether it has a leader", () => {
      expect(() => planFor(three({}))).to.throw("does not say whether it has a leader");
    });

    it("wipes nothing and begins no second etcd while another one does not say whether it has data", () => {
      const unsure: FoundMachine = { role: "controlplane", state: "member", hasEtcd: undefined };
      const lost: FoundMachine = plane("absent");
      const survivor: FoundMachine = { ...plane("member"), hasLeader: false };
      const found = (machines: Situation["machines"]) => situation({ machines, hasSnapshot: true });
      expect(() => planFor(found({ cp01: unsure, cp02: survivor, cp03: lost }))).to.throw("etcd on cp01 may have data");
      expect(() => planFor(found({ cp01: lost, cp02: unsure, cp03: lost }))).to.throw("etcd on cp02 may have data");
    });

    it("begins etcd on the bootstrap node where that has no data or refuses to, as Talos does where it has some", () => {
      const only = (hasEtcd: boolean | undefined) =>
        planFor(
          situation({ machines: { cp01: { role: "controlplane", state: "member", hasEtcd } }, hasSnapshot: true }),
        );
      for (const hasEtcd of [false, undefined]) expect(only(hasEtcd)).to.deep.include({ wipes: [], recovers: true });
    });

    it("does not wipe the last data of etcd without a snapshot to begin with", () => {
      expect(() => planFor({ ...three({ hasLeader: false }), hasSnapshot: false })).to.throw(
        "give a snapshot with --etcd",
      );
    });
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

  it("takes a member for lost that is gone, though an update was interrupted", () => {
    const late = (controlPlane: FoundMachine["state"]) =>
      situation({
        state: "interrupted",
        machines: machines(controlPlane, "silent"),
        unmade: { machines: ["wk01"], cluster: false },
      });
    expect(() => planFor(late("silent"))).to.throw(/--lost cp01$/);
    expect(planFor(late("absent"))).to.deep.include({
      case: "machines",
      loss: { machines: ["cp01"], isClusterLost: true },
    });
  });

  it("believes whoever gives a snapshot that there was a cluster", () => {
    const again = situation({
      state: "interrupted",
      machines: machines("blank", "blank"),
      unmade: { machines: ["cp01", "wk01"], cluster: true },
      hasSnapshot: true,
    });
    expect(planFor(again)).to.deep.include({ case: "machines", recovers: true });
  });
});

describe("a case that a person names", () => {
  it("has to be what was found, but that a takeover may apply what is configured", () => {
    const lost = situation({ state: "lost", hasEscrow: true });
    const plan = planFor(lost, { case: "all" });
    expect(plan).to.deep.include({ case: "all", wipes: [], loss: { machines: [], isClusterLost: false } });
    expect(describePlan(plan, lost)[0]).to.match(/^The state is lost: /);
    expect(() => planFor(lost, { case: "machines" })).to.throw("What was found is no case machines, but state");
    const half = situation({ machines: machines("member", "absent") });
    for (const wanted of ["all", "interrupted"] as const) {
      expect(() => planFor(half, { case: wanted })).to.throw(`is no case ${wanted}, but machines: leave --case out`);
    }
    for (const wanted of ["all", "machines", "state"] as const) {
      expect(() => planFor(situation(), { case: wanted })).to.throw("There is nothing to rebuild");
    }
  });
});

describe("describePlan", () => {
  it("names what is made anew, what is kept, and how etcd begins", () => {
    const lost = situation({ machines: machines("absent", "member"), hasSnapshot: true });
    expect(describePlan(planFor(lost), lost).join("\n"))
      .to.match(/made anew +cp01\n/)
      .and.to.match(/kept +wk01\n/)
      .and.to.match(/etcd +recovered from the snapshot/);
  });
});
