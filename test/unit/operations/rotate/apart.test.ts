import { expect } from "chai";

import type { Held } from "../../../../lib/engine/lease.ts";
import { apartFromRollouts } from "../../../../operations/rotate/apart.ts";
import { messageOf } from "../../../support/failure.ts";
import { FakeStore } from "../../../support/fake-lease-store.ts";

const times = { lapse: 60_000, renew: 5, pause: 2, answer: 1000 };
const around = {
  credentials: { live: () => undefined },
  signal: new AbortController().signal,
};

/** A store that a rollout of another computer renews whenever somebody looks. */
class RolledOut extends FakeStore {
  override held: Held = {
    ...{ holder: "another computer", acquired: "2026-11-30T12:00:00.000Z", renewed: "2026-11-30T12:00:00.000Z" },
    ...{ duration: 60, version: "0" },
  };

  override get = (): Promise<Held> => {
    this.changes += 1;
    this.held = { ...this.held, version: this.changes.toString() };
    return Promise.resolve(this.held);
  };
}

describe("a rotation of what machines have", () => {
  it("has the lease of rollouts while it begins, and gives it back", async () => {
    const store = new FakeStore();
    const held = await apartFromRollouts(store, around, () => Promise.resolve(store.held?.holder), times);
    expect(held).to.be.a("string").that.is.not.equal("");
    expect(store.held?.holder).to.equal("");
  });

  it("does not begin while a rollout goes on", async () => {
    let isBegun = false;
    const begin = (): Promise<void> => {
      isBegun = true;
      return Promise.resolve();
    };
    const message = await messageOf(apartFromRollouts(new RolledOut(), around, begin, times));
    expect(message).to.contain("A rollout is under way, by").and.to.contain("Nothing was done");
    expect(isBegun).to.equal(false);
  });

  it("does not begin where no API answers, for a step of a rollout may have taken it away", async () => {
    const store = new FakeStore("the Lease hearth-rollout in kube-system");
    store.get = () => Promise.reject(new Error("connect ECONNREFUSED"));
    let isBegun = false;
    const begin = (): Promise<void> => {
      isBegun = true;
      return Promise.resolve();
    };
    expect(await messageOf(apartFromRollouts(store, around, begin, times)))
      .to.contain("the Lease hearth-rollout in kube-system cannot be had: connect ECONNREFUSED. Nothing was done")
      .and.contain("when the cluster's API answers");
    expect(isBegun).to.equal(false);
  });
});
