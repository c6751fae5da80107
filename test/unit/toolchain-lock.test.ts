import { expect } from "chai";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
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
      await new Promise<void>((resolve) => {
        const onWait = (pid: number): void => {
          waited.push(pid);
          resolve();
        };
        second = withLock(path, () => Promise.resolve(), { interval: 5, onWait });
      });
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

  it("lets only one of many take over the lock of a process that is gone", async function () {
    this.timeout(60_000);
    for (let round = 0; round < 5; round += 1) {
      await writeFile(path, "999999999 12345");
      let inside = 0;
      let most = 0;
      const work = async (): Promise<void> => {
        most = Math.max(most, ++inside);
        await sleep(2);
        inside -= 1;
      };
      await Promise.all(Array.from({ length: 8 }, () => withLock(path, work, { interval: 1 })));
      expect(most).to.equal(1);
    }
  });

  it("lets only one of many processes take over the lock of a process that is gone", async function () {
    this.timeout(60_000);
    await writeFile(path, "999999999 12345");
    const journal = join(folder, "journal");
    const program = `
      import { appendFile } from "node:fs/promises";
      import { setTimeout as sleep } from "node:timers/promises";
      import { withLock } from ${JSON.stringify(join(import.meta.dirname, "../../toolchain/lock.ts"))};
      await sleep(Number(process.argv[1]) - Date.now());
      await withLock(${JSON.stringify(path)}, async () => {
        await appendFile(${JSON.stringify(journal)}, "in\\n");
        await sleep(20);
        await appendFile(${JSON.stringify(journal)}, "out\\n");
      }, { interval: 1 });`;
    const together = (Date.now() + 2_000).toString();
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program, together], {
        stdio: "inherit",
      }),
    );
    expect(await Promise.all(children.map(async (child) => (await once(child, "exit"))[0] as number))).to.deep.equal(
      children.map(() => 0),
    );
    expect((await readFile(journal, "utf8")).trim()).to.equal(Array(4).fill("in\nout").join("\n"));
  });

  it("leaves nothing beside a lock that was taken over", async () => {
    await writeFile(path, "999999999 12345");
    await withLock(path, () => Promise.resolve(), { interval: 1 });
    expect(await readdir(folder)).to.deep.equal([]);
  });

  it("keeps waiting for a process that it cannot see, and says whose lock it is", async () => {
    const elsewhere = "4242 1 another-machine another-boot another-namespace token";
    await writeFile(path, elsewhere);
    const waited: number[] = [];
    const second = withLock(path, () => Promise.resolve("done"), { interval: 5, onWait: (pid) => waited.push(pid) });
    await sleep(100);
    expect(await readFile(path, "utf8")).to.equal(elsewhere);
    expect(waited).to.deep.equal([4242]);
    await rm(path);
    expect(await second).to.equal("done");
  });
});
