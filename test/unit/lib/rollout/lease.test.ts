import { expect } from "chai";

import { withLease, type Held, type Lease, type LeaseStore } from "../../../../lib/rollout/lease.ts";

const times = { lapse: 60, renew: 5, pause: 2 };

/** A store that refuses what the API server refuses. */
class FakeStore implements LeaseStore {
  held: Held | undefined;
  changes = 0;

  get = () => Promise.resolve(this.held);
  delete = () => {
    this.held = undefined;
    return Promise.resolve();
  };
  create = (lease: Lease) => {
    if (this.held) return Promise.reject(new Error("409"));
    return this.write(lease);
  };
  replace = (lease: Lease, version: string) =>
    this.held?.version === version ? this.write(lease) : Promise.reject(new Error("409"));

  private write(lease: Lease): Promise<void> {
    this.changes += 1;
    this.held = { ...lease, version: this.changes.toString() };
    return Promise.resolve();
  }
}

const failure = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "it succeeded",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe("the lease of a rollout", () => {
  it("is held and renewed for as long as the work takes, and given back", async () => {
    const store = new FakeStore();
    const held = await withLease(
      store,
      () => undefined,
      () => pause(50).then(() => store.held),
      times,
    );
    expect(held?.holder).to.contain(process.pid.toString());
    expect(store.changes).to.be.greaterThan(2);
    expect(store.held).to.equal(undefined);
  });

  it("is given back when the work fails", async () => {
    const store = new FakeStore();
    expect(
      await failure(
        withLease(
          store,
          () => undefined,
          () => Promise.reject(new Error("no")),
          times,
        ),
      ),
    ).to.equal("no");
    expect(store.held).to.equal(undefined);
  });

  it("keeps a second rollout from beginning while the first one goes on", async () => {
    const store = new FakeStore();
    let hasBegun = false;
    const first = withLease(
      store,
      () => undefined,
      () => pause(100),
      times,
    );
    await pause(1);
    const second = withLease(
      store,
      () => undefined,
      () => Promise.resolve((hasBegun = true)),
      times,
    );
    expect(await failure(second)).to.contain("is under way: wait until it ends");
    expect(hasBegun).to.equal(false);
    await first;
  });

  it("lapses where its run was killed", async () => {
    const store = new FakeStore();
    await store.create({ holder: "laptop 12 x", renewed: "2027-01-01T00:00:00.000Z" });
    const said: string[] = [];
    expect(
      await withLease(
        store,
        (text) => said.push(text),
        () => Promise.resolve("done"),
        times,
      ),
    ).to.equal("done");
    expect(said[0]).to.contain("process 12 on laptop");
    expect(store.held).to.equal(undefined);
  });

  it("is not given back by a run that lost it", async () => {
    const store = new FakeStore();
    const other: Held = { holder: "another", renewed: "", version: "99" };
    await withLease(
      store,
      () => undefined,
      () => Promise.resolve((store.held = other)),
      { ...times, renew: 10_000 },
    );
    expect(store.held).to.equal(other);
  });
});
