import { expect } from "chai";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { withLock } from "../../toolchain/lock.ts";

describe("withLock", () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearth-lock-"));
    path = join(folder, "lock");
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("lets only one at a time work", async () => {
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await sleep(20);
      inside -= 1;
    };
    await Promise.all([1, 2, 3].map(() => withLock(path, work, { interval: 5 })));
    expect(most).to.equal(1);
  });

  it("tells which process it waits for", async () => {
    const waited: number[] = [];
    let second: Promise<void> | undefined;
    await withLock(path, async () => {
      second = withLock(path, () => Promise.resolve(), { interval: 5, onWait: (pid) => waited.push(pid) });
      await sleep(30);
    });
    await second;
    expect(waited).to.deep.equal([process.pid]);
  });

  it("takes over the lock of a process that is gone", async () => {
    const child = spawn("true");
    await once(child, "exit");
    await writeFile(path, `${String(child.pid)} 12345`);
    expect(await withLock(path, () => Promise.resolve("done"), { interval: 5 })).to.equal("done");
  });

  it("takes over the lock of a process whose ID another one has by now", async () => {
    await writeFile(path, `${process.pid.toString()} 1`);
    expect(await withLock(path, () => Promise.resolve("done"), { interval: 5 })).to.equal("done");
  });

  it("takes over a lock that was never written", async () => {
    await writeFile(path, "");
    expect(await withLock(path, () => Promise.resolve("done"), { interval: 5 })).to.equal("done");
  });

  it("gives the lock back when the work fails", async () => {
    const failed = await withLock(path, () => Promise.reject(new Error("no"))).catch((error: unknown) => error);
    expect(failed).to.be.instanceOf(Error);
    expect(await access(path).catch(() => "gone")).to.equal("gone");
  });
});
