import { spawnSync } from "node:child_process";
import { hostname } from "node:os";

import { expect } from "chai";

import { Locked, lockHolders } from "../../../../lib/engine/locked.ts";

const complaint = (host: string, pid: number): string =>
  "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file " +
  "with `pulumi cancel`.\n" +
  `  file:///state/.pulumi/locks/organization/hearth/dev/65a07aeb.json: created by ann@${host} (pid ${pid}) at 2026-11-21T21:50:46Z\n`;

describe("a state that is locked", () => {
  const gone = spawnSync(process.execPath, ["-e", ""]).pid;

  it("says who locked it, and what to do", () => {
    const locked = new Locked("dev", lockHolders(complaint("desk", 4711)));
    expect(locked.message).to.equal(
      "The state of dev is locked by process 4711 of ann on desk since 2026-11-21T21:50:46Z: wait until that ends; where it is " +
        "gone already, take its lock away with pulumi cancel --stack dev",
    );
  });

  it("is free again where the process is gone, and only that of this computer is known to be", () => {
    const isStale = (host: string, pid: number) => new Locked("dev", lockHolders(complaint(host, pid))).isStale;
    expect(isStale(hostname(), gone)).to.equal(true);
    expect(isStale(hostname(), process.pid)).to.equal(false);
    expect(isStale("desk", gone)).to.equal(false);
  });

  it("is not seen where the engine complains of something else", () => {
    expect(lockHolders("error: no stack named 'dev' found")).to.deep.equal([]);
  });
});
