import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { folderDestination } from "../../../../operations/destinations/folder.ts";
import { exclusively } from "../../../../operations/rebuild/exclusive.ts";
import type { Lease } from "../../../../lib/engine/lease.ts";
import { failureOf, messageOf } from "../../../support/failure.ts";

// A lease does not lapse while this process is busy with something else.
const times = { lapse: 60_000, renew: 20, pause: 5, answer: 60_000 };

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Two computers, each with a checkout of its own, that share a folder. */
describe("two computers that rebuild the same stack", () => {
  let folder: string;
  let shared: string;
  let said: string[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearth-exclusive-"));
    shared = join(folder, "nas");
    await mkdir(shared);
    said = [];
  });

  afterEach(() => rm(folder, { recursive: true }));

  const rebuildOn = (
    computer: string,
    work: (lost: AbortSignal) => Promise<unknown>,
    destinations: string[] = [shared],
    signal = new AbortController().signal,
  ): Promise<unknown> =>
    exclusively(
      {
        ...{ lock: join(folder, computer, ".hearth", "lock"), stack: "dev", signal, times },
        leases: () => Promise.resolve(destinations.map((each) => folderDestination(each).lease("dev/rebuild-lease"))),
        print: (text) => said.push(text),
      },
      work,
    );

  const held = async (): Promise<Lease> => {
    const [name = ""] = await readdir(join(shared, "dev/rebuild-lease"));
    return JSON.parse(await readFile(join(shared, "dev/rebuild-lease", name), "utf8")) as Lease;
  };

  it("do it one at a time: the second is told who is at it, and since when", async () => {
    let end = (): void => undefined;
    let begin = (): void => undefined;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const first = rebuildOn("a", () => {
      begin();
      return new Promise<void>((resolve) => (end = resolve));
    });
    await begun;
    const message = await messageOf(rebuildOn("b", () => Promise.reject(new Error("began"))));
    expect(message).to.contain(`A rebuild of dev is under way, by process ${process.pid.toString()} on`);
    expect(message).to.match(/since \d{4}-\d\d-\d\d \d\d:\d\d UTC; \S+nas has its lease\./);
    end();
    await first;
    expect(await rebuildOn("b", () => Promise.resolve("done"))).to.equal("done");
  });

  it("begin at once, and one of them rebuilds at a time", async () => {
    let running = 0;
    const work = async (): Promise<void> => {
      running += 1;
      expect(running).to.equal(1);
      await wait(100);
      running -= 1;
    };
    const outcomes = await Promise.all(
      ["a", "b"].map((each) =>
        rebuildOn(each, work).then(
          () => "done",
          (error: unknown) => String(error),
        ),
      ),
    );
    expect(outcomes).to.include("done");
    for (const each of outcomes.filter((outcome) => outcome !== "done")) expect(each).to.contain("is under way");
  });

  it("are not stopped by a destination that is away, which is said", async () => {
    const away = join(folder, "burnt");
    expect(await rebuildOn("a", () => held().then(({ holder }) => holder), [away, shared])).to.contain(
      process.pid.toString(),
    );
    expect(said).to.have.length(1);
    expect(said[0]).to.contain(
      `No lease in ${away}, so it keeps no other computer from rebuilding dev: ${away} is not there`,
    );
    said = [];
    await rebuildOn("a", () => Promise.resolve(), [away]);
    expect(said.at(-1)).to.contain("see to it that no other computer rebuilds dev now");
  });

  it("leave no lease behind when a rebuild fails or is interrupted", async () => {
    expect(await messageOf(rebuildOn("a", () => Promise.reject(new Error("no"))))).to.equal("no");
    expect((await held()).holder).to.equal("");
    const abort = new AbortController();
    const interrupted = rebuildOn(
      "a",
      async () => {
        abort.abort(new Error("interrupted"));
        await wait(5);
        abort.signal.throwIfAborted();
      },
      [shared],
      abort.signal,
    );
    expect((await failureOf(interrupted)).message).to.equal("interrupted");
    expect((await held()).holder).to.equal("");
    expect(await rebuildOn("b", () => Promise.resolve("done"))).to.equal("done");
  });
});
