import { expect } from "chai";

import { describeLosses, describePending } from "../../../../operations/rebuild/describe.ts";
import type { Plan } from "../../../../lib/recovery/plan.ts";

const plan: Plan = {
  case: "machines",
  loss: { machines: ["cp01"], isClusterLost: true },
  wipes: [],
  recovers: true,
  losesVolumes: false,
};

describe("describePending", () => {
  it("says how old a rebuild is, what it makes anew, and what it still has to do", () => {
    const begun = "2026-11-27T12:00:00.000Z";
    const entry = { version: 1 as const, stack: "dev", begun, plan, done: { leave: 1, wipe: 2, forget: 3 } };
    expect(describePending(entry, Date.parse(begun) + 3_600_000))
      .to.contain("60 min 0 s ago; done so far: leave, wipe, forget")
      .and.to.contain("made anew       cp01")
      .and.to.contain("pending         Build what is missing")
      .and.not.to.contain("Wipe what is left of etcd");
  });
});

describe("describeLosses", () => {
  it("names what is wiped and what is forgotten, and nothing where nothing is", () => {
    expect(describeLosses(plan)).to.equal(undefined);
    expect(describeLosses({ ...plan, wipes: ["cp02"], losesVolumes: true }))
      .to.contain("etcd on cp02, with everything below /var: images, logs, host paths")
      .and.to.contain("forgets the claims");
  });

  it("names Ceph's monitors where they are wiped", () => {
    expect(describeLosses({ ...plan, wipes: ["cp02"] })).not.to.contain("Ceph");
    expect(describeLosses({ ...plan, wipes: ["cp02"], wipesCeph: ["cp02"] })).to.contain("Ceph's monitors");
  });
});
