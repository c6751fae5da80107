import { expect } from "chai";

import { hasBegun, knowsLeader } from "../../../../operations/rebuild/etcd.ts";
import { describeRoute } from "../../../../operations/rebuild/route.ts";

const status = (leader: string): string =>
  [
    "NODE         MEMBER             DB SIZE   IN USE            LEADER             RAFT INDEX   RAFT TERM   LEARNER   ERRORS",
    `10.20.0.11   0a1b2c3d4e5f6071   2.3 MB    1.1 MB (47.62%)   ${leader}   1234         2           false`,
  ].join("\n");

describe("what etcd says", () => {
  it("has a leader, or none, or is not known", () => {
    expect(knowsLeader(status("0a1b2c3d4e5f6071"))).to.equal(true);
    expect(knowsLeader(status("0000000000000000"))).to.equal(false);
    expect(knowsLeader("")).to.equal(undefined);
  });

  it("has begun where it runs without a quorum, and not where it waits for its bootstrap", () => {
    expect(hasBegun("NODE     10.20.0.11\nID       etcd\nSTATE    Running\nHEALTH   ?\n")).to.equal(true);
    expect(hasBegun("NODE     10.20.0.11\nID       etcd\nSTATE    Preparing\nHEALTH   ?\n")).to.equal(false);
  });
});

describe("describeRoute", () => {
  it("tells a network that cannot be reached from machines that are off", () => {
    expect(describeRoute("10.20.0.1", { isThere: false, others: [] })).to.contain("no route from here");
    expect(describeRoute("10.20.0.1", { isThere: true, others: [] })).to.contain("10.20.0.1 answers");
    expect(describeRoute("10.20.0.1", { isThere: true, others: ["cp02"] })).to.contain("cp02 can be reached");
  });
});
