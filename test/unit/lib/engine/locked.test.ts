import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { expect } from "chai";

import { Locked, lockHolders, lockHoldersIn } from "../../../../lib/engine/locked.ts";
import { messageOf } from "../../../support/failure.ts";

const complaint = (host: string, ...pids: number[]): string =>
  "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file " +
  "with `pulumi cancel`." +
  pids
    .map(
      (pid) =>
        `\n  file:///state/.pulumi/locks/organization/hearth/dev/65a07aeb.json: created by ann@${host} (pid ${pid}) at ${since}`,
    )
    .join("");

const since = "2026-11-21T21:50:46Z";

describe("a state that is locked", () => {
  let folder: string;
  let engine: number;
  const gone = spawnSync(process.execPath, ["-e", ""]).pid;

  /** Starts a program that runs for a while under a name, and gives its number. */
  const start = async (name: string): Promise<number> => {
    await symlink(process.execPath, join(folder, name));
    const child = spawn(join(folder, name), ["-e", "console.log(1); setTimeout(() => 0, 60000)"]);
    await once(child.stdout, "data");
    return child.pid ?? 0;
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearth-scratch-"));
    engine = await start("pulumi");
  });

  after(async () => {
    process.kill(engine, "SIGKILL");
    await rm(folder, { recursive: true, force: true });
  });

  const isStale = (host: string, ...pids: number[]) =>
    new Locked("dev", lockHolders(complaint(host, ...pids))).isStale();

  it("says who locked it, and what to do", () => {
    const locked = new Locked("dev", lockHolders(complaint("desk", 4711)));
    expect(locked.message).to.equal(
      "The state of dev is locked by process 4711 of ann on desk since 2026-11-21T21:50:46Z: wait until that ends; where it is " +
        "gone already, take its lock away with pulumi cancel --stack dev",
    );
  });

  it("is free again where the process is gone, and only that of this computer is known to be", async () => {
    expect(await isStale(hostname(), gone)).to.equal(true);
    expect(await isStale(hostname(), engine)).to.equal(false);
    expect(await isStale("desk", gone)).to.equal(false);
  });

  it("is free where another program has the number of the one that is gone", async () => {
    const other = await start("other");
    try {
      expect(await isStale(hostname(), other)).to.equal(true);
    } finally {
      process.kill(other, "SIGKILL");
    }
  });

  it("is not free as long as one of several runs", async () => {
    expect(await isStale(hostname(), gone, engine)).to.equal(false);
    expect(await isStale(hostname(), engine, gone)).to.equal(false);
  });

  it("is not seen where the engine complains of something else", () => {
    expect(lockHolders("error: no stack named 'dev' found")).to.deep.equal([]);
  });

  describe("in a folder", () => {
    const write = async (name: string, text: string): Promise<void> => {
      const path = join(folder, name, ".pulumi", "locks", "organization", "hearth", "dev", "65a07aeb.json");
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    };

    it("says who locked it, and was locked on this computer whatever it was called then", async () => {
      const lock = { pid: gone, username: "ann", hostname: "4f2c1d7a9b3e", timestamp: since };
      await write("locked", JSON.stringify(lock));
      const holders = await lockHoldersIn(join(folder, "locked"));
      expect(holders).to.deep.equal([{ user: "ann", host: hostname(), pid: gone, since }]);
      expect(await lockHoldersIn(join(folder, "absent"))).to.deep.equal([]);
    });

    it("is not free where a lock cannot be read", async () => {
      await write("damaged", "");
      expect(await messageOf(lockHoldersIn(join(folder, "damaged")))).to.match(
        /65a07aeb\.json, a lock of the state, is damaged: remove it where no pulumi is running$/,
      );
    });
  });
});
