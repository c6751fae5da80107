import { expect } from "chai";

import {
  withLease,
  verdict,
  type Held,
  type Lease,
  type LeaseStore,
  type LeaseUse,
} from "../../../../lib/engine/lease.ts";
import { newOwner } from "../../../../toolchain/owner.ts";
import { messageOf } from "../../../support/failure.ts";
import { FakeStore } from "../../../support/fake-lease-store.ts";

const times = { lapse: 60, renew: 5, pause: 2, answer: 1000 };

const use = (change: Partial<LeaseUse> = {}): LeaseUse => ({
  what: "A rollout",
  times,
  live: () => undefined,
  signal: new AbortController().signal,
  ...change,
});

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** One that does not lapse while this process is busy with something else. */
const living = (change: Partial<LeaseUse> = {}): LeaseUse => use({ times: { ...times, lapse: 60_000 }, ...change });

/** Takes a lease, and has it until it is told otherwise. */
const taken = async (store: LeaseStore): Promise<() => Promise<void>> => {
  let end = (): void => undefined;
  let begin = (): void => undefined;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const work = withLease([store], living(), () => {
    begin();
    return new Promise<void>((resolve) => (end = resolve));
  });
  await begun;
  return () => {
    end();
    return work;
  };
};

/** A lease of a computer of which nothing is known here. */
const anothers: Lease = {
  holder: "4711 99 laptop another-boot pid:[1] token",
  acquired: "2027-01-01T10:20:30.000Z",
  renewed: "2027-01-01T10:20:30.000Z",
  duration: times.lapse / 1000,
};

describe("a lease", () => {
  it("is held and renewed for as long as the work takes, and given back", async () => {
    const store = new FakeStore();
    const held = await withLease([store], living(), async () => {
      while (store.changes <= 3) await pause(5);
      return store.held;
    });
    expect(held?.holder).to.contain(process.pid.toString());
    expect(store.held?.holder).to.equal("");
  });

  it("is given back when the work fails", async () => {
    const store = new FakeStore();
    expect(await messageOf(withLease([store], use(), () => Promise.reject(new Error("no"))))).to.equal("no");
    expect(store.held?.holder).to.equal("");
    expect(await withLease([store], use(), () => Promise.resolve("again"))).to.equal("again");
  });

  it("keeps a second one from beginning while the first one goes on, and names its process and computer", async () => {
    const store = new FakeStore();
    let hasBegun = false;
    const end = await taken(store);
    const second = withLease([store], living(), () => Promise.resolve((hasBegun = true)));
    const message = await messageOf(second);
    expect(message).to.match(
      new RegExp(
        `A rollout is under way, by process ${process.pid.toString()} on \\S+ since \\d{4}-\\S+ \\S+ UTC; the store has`,
      ),
    );
    expect(message).to.contain("Wait until it ends, or interrupt it there");
    expect(hasBegun).to.equal(false);
    await end();
  });

  it("is had by one at a time of several that begin at once", async () => {
    for (let round = 0; round < 20; round += 1) {
      const stores = [new FakeStore("a"), new FakeStore("b")];
      let running = 0;
      const attempt = () =>
        withLease(stores, living(), async () => {
          running += 1;
          expect(running).to.equal(1);
          await pause(20);
          running -= 1;
          return "done";
        }).catch((error: unknown) => String(error));
      const outcomes = await Promise.all([attempt(), attempt(), attempt()]);
      // One that waits may begin after the other's end.
      expect(outcomes).to.include("done");
      for (const each of outcomes.filter((outcome) => outcome !== "done")) expect(each).to.contain("is under way");
      expect(stores.map(({ held }) => held?.holder)).to.deep.equal(["", ""]);
    }
  });

  it("is taken after one that was faster and has ended already", async () => {
    const store = new FakeStore();
    const { create } = store;
    store.create = async (lease) => {
      await create({ ...anothers, holder: "" });
      return create(lease);
    };
    expect(await withLease([store], use(), () => Promise.resolve("done"))).to.equal("done");
    expect(store.held?.holder).to.equal("");
  });

  it("lapses where its run was killed on another computer", async () => {
    const store = new FakeStore();
    await store.create(anothers);
    const said: string[] = [];
    const begun = Date.now();
    expect(await withLease([store], use({ live: (text) => said.push(text) }), () => Promise.resolve("done"))).to.equal(
      "done",
    );
    expect(Date.now() - begun).to.be.at.least(times.lapse);
    expect(said[0]).to.contain("process 4711 on laptop since 2027-01-01 10:20 UTC");
  });

  it("of an older release, which names its holder otherwise, lapses too, and is of nobody who is known", async () => {
    const store = new FakeStore();
    await store.create({ ...anothers, holder: `laptop ${process.pid.toString()} token` });
    const begun = Date.now();
    await withLease([store], use(), () => Promise.resolve());
    expect(Date.now() - begun).to.be.at.least(times.lapse);
  });

  it("is taken over at once where its process ran on this computer and is gone", async () => {
    const store = new FakeStore();
    const [, , ...rest] = (await newOwner()).split(" ");
    // The ID is this process's, which started at another time.
    await store.create({ ...anothers, holder: [process.pid, 1, ...rest].join(" "), duration: 600 });
    expect(await withLease([store], use(), () => Promise.resolve("done"))).to.equal("done");
  });

  it("is not taken over from a computer of the same name, whose processes are others", async () => {
    const store = new FakeStore();
    const [, , host = "", , ...rest] = (await newOwner()).split(" ");
    await store.create({ ...anothers, holder: [process.pid, 1, host, "another-boot", ...rest].join(" ") });
    const begun = Date.now();
    await withLease([store], use(), () => Promise.resolve());
    expect(Date.now() - begun).to.be.at.least(times.lapse);
  });

  it("is not given back by a run that lost it, which hears of it", async () => {
    const store = new FakeStore();
    const other: Held = { ...anothers, version: "99" };
    await withLease([store], use(), async (lost) => {
      store.held = other;
      await pause(50);
      expect(lost.aborted).to.equal(true);
      expect(String(lost.reason)).to.contain("A rollout was begun by process 4711 on laptop");
    });
    expect(store.held).to.equal(other);
  });

  it("does without a store that fails or does not answer, where that is allowed, and says so", async () => {
    const away = new FakeStore("away");
    away.get = () => Promise.reject(new Error("no route"));
    const silent = new FakeStore("silent");
    silent.get = () => new Promise<never>(() => undefined);
    const store = new FakeStore();
    const skipped: string[] = [];
    const skipping = use({
      times: { ...times, answer: 50 },
      skip: (name, problem) => skipped.push(`${name}: ${problem}`),
    });
    const held = await withLease([away, silent, store], skipping, () => Promise.resolve(store.held?.holder));
    expect(held).to.contain(process.pid.toString());
    expect(skipped.sort()).to.deep.equal(["away: no route", "silent: silent did not answer for 1 s"]);
  });

  it("does nothing where a store fails that it cannot do without, for somebody may have the lease", async () => {
    const away = new FakeStore("away");
    away.get = () => Promise.reject(new Error("no route"));
    let isDone = false;
    const work = withLease([away], use(), () => Promise.resolve((isDone = true)));
    expect(await messageOf(work)).to.equal(
      "A rollout may be under way, for away cannot be had: no route. Nothing was done. Run this again when away answers",
    );
    expect(isDone).to.equal(false);
  });

  it("is still somebody's in a store that fails after it was seen there", async () => {
    const store = new FakeStore();
    const end = await taken(store);
    const { get } = store;
    let looks = 0;
    const flaky: LeaseStore = {
      ...{ name: "flaky", create: store.create, replace: store.replace },
      get: () => ((looks += 1) % 3 === 2 ? Promise.reject(new Error("no route")) : get()),
    };
    const second = withLease([flaky], living({ skip: () => undefined }), () => Promise.resolve());
    expect(await messageOf(second)).to.contain("is under way");
    expect(looks).to.be.greaterThan(1);
    await end();
  });

  it("is held back by a living owner in any store, although others fail, and leaves none behind", async () => {
    const away = new FakeStore("away");
    away.get = () => Promise.reject(new Error("no route"));
    const [free, other] = [new FakeStore("free"), new FakeStore("taken")];
    const end = await taken(other);
    const second = withLease([free, away, other], living({ skip: () => undefined }), () => Promise.resolve());
    expect(await messageOf(second)).to.contain("taken has its lease");
    expect(free.held).to.equal(undefined);
    await end();
  });

  it("is had where the store wrote it and its answer was lost", async () => {
    const store = new FakeStore();
    const { create } = store;
    store.create = async (lease) => {
      await create(lease);
      throw new Error("connection reset");
    };
    expect(await withLease([store], use(), () => Promise.resolve(store.held?.holder))).to.contain(`${process.pid} `);
    expect(store.held?.holder).to.equal("");
  });

  it("is waited for no longer when the person interrupts", async () => {
    const store = new FakeStore();
    await store.create({ ...anothers, duration: 600 });
    const abort = new AbortController();
    const waiting = withLease([store], use({ signal: abort.signal, skip: () => undefined }), () => Promise.resolve());
    setTimeout(() => {
      abort.abort(new Error("interrupted"));
    }, 20);
    expect(await messageOf(waiting)).to.equal("interrupted");
    expect(store.held?.holder).to.equal(anothers.holder);
  });

  it("is watched for ten minutes at most, whatever its duration says", () => {
    const held: Held = { ...anothers, duration: 1e9, version: "1" };
    expect(verdict(held, held, { watched: 599_999, isGone: false })).to.equal("unknown");
    expect(verdict(held, held, { watched: 600_000, isGone: false })).to.equal("free");
  });
});
