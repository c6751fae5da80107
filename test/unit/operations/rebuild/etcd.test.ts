import { expect } from "chai";

import { askEtcd, knowsLeader } from "../../../../operations/rebuild/etcd.ts";
import type { FoundMachine } from "../../../../lib/recovery/plan.ts";
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
    const refusal =
      "talosctl etcd on 10.20.0.11 failed: error getting status: rpc error: code = Unavailable desc = etcdserver: no leader";
    expect(knowsLeader(refusal)).to.equal(false);
    expect(knowsLeader("")).to.equal(undefined);
    expect(knowsLeader("Error: connection refused")).to.equal(undefined);
  });

  it("is asked of a control plane that listens, in words of a refusal too", async () => {
    const machine: FoundMachine = { role: "controlplane", state: "member", hasEtcd: true };
    const leaderless = { once: () => Promise.reject(new Error("rpc error: etcdserver: no leader")) };
    expect(await askEtcd(leaderless, "10.20.0.11", machine)).to.include({ hasEtcd: true, hasLeader: false });
    const dumb = { once: () => Promise.reject(new Error("i/o timeout")) };
    expect(await askEtcd(dumb, "10.20.0.11", machine)).to.include({ hasEtcd: true, hasLeader: undefined });
  });

  describe("what is wiped with an etcd that has no leader", () => {
    const machine: FoundMachine = { role: "controlplane", state: "member", hasEtcd: true };
    /** What list answers; etcd has no leader unless given. */
    const asked = (list: () => Promise<string>, leader = "0000000000000000") =>
      askEtcd(
        { once: (_, [word]) => (word === "list" ? list() : Promise.resolve(status(leader))) },
        "10.20.0.11",
        machine,
      );
    const failing = (message: string) => () => Promise.reject(new Error(message));

    it("is data of Ceph where its folder has any", async () => {
      expect(await asked(() => Promise.resolve(".\nmon-a\n"))).to.include({ keepsCeph: true });
    });

    it("is none where the folder is proven empty, or is not there", async () => {
      expect(await asked(() => Promise.resolve(".\n"))).to.include({ keepsCeph: false });
      const missing =
        "error from node 10.20.0.11: rpc error: code = Unknown desc = lstat /var/lib/rook: no such file or directory";
      expect(await asked(failing(missing))).to.include({ keepsCeph: false });
    });

    it("is not known from any other answer", async () => {
      for (const message of ["rpc error: code = Unimplemented desc = method List not implemented", "i/o timeout"]) {
        expect(await asked(failing(message))).to.have.property("keepsCeph", undefined);
      }
      expect(await asked(() => Promise.resolve(""))).to.have.property("keepsCeph", undefined);
    });

    it("is not asked of an etcd with a leader", async () => {
      const found = await asked(failing("asked"), "0a1b2c3d4e5f6071");
      expect(found).not.to.have.property("keepsCeph");
    });
  });

  describe("of a control plane where it does not listen", () => {
    const machine: FoundMachine = { role: "controlplane", state: "member", hasEtcd: false };
    const service = (state: string): string => `NODE     10.20.0.11\nID       etcd\nSTATE    ${state}\nHEALTH   ?\n`;
    /** What the machine answers by talosctl's first word; an error where it has no answer. */
    const asked = (answers: Record<string, string>) => {
      const once = (_: string, [word = ""]: string[]) =>
        answers[word] === undefined ? Promise.reject(new Error("no answer")) : Promise.resolve(answers[word]);
      return askEtcd({ once }, "10.20.0.11", machine);
    };

    it("has no leader where it runs, for it listens only once it has one", async () => {
      expect(await asked({ service: service("Running") })).to.include({ hasEtcd: true, hasLeader: false });
    });

    it("has no data where its folder is proven empty", async () => {
      expect(await asked({ service: service("Preparing"), list: ".\n" })).to.include({ hasEtcd: false });
    });

    it("is not known while it prepares, has failed, or does not say", async () => {
      for (const state of ["Preparing", "Waiting", "Failed", "Finished"]) {
        expect(await asked({ service: service(state) }), state).to.include({ hasEtcd: undefined });
        const found = await asked({ service: service(state), list: ".\nmember\n" });
        expect(found, state).to.include({ hasEtcd: true, hasLeader: undefined });
      }
      expect(await asked({})).to.include({ hasEtcd: undefined });
    });
  });
});

describe("describeRoute", () => {
  it("tells a network that cannot be reached from machines that are off", () => {
    expect(describeRoute("10.20.0.1", { isThere: false, others: [] })).to.contain("no route from here");
    expect(describeRoute("10.20.0.1", { isThere: true, others: [] })).to.contain("10.20.0.1 answers");
    expect(describeRoute("10.20.0.1", { isThere: true, others: ["cp02"] })).to.contain("cp02 can be reached");
  });
});
