import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { expect } from "chai";

import { endEngine } from "../../../../lib/engine/processes.ts";
import { isRunning } from "../../../../toolchain/running.ts";

describe("what a rebuild that was killed leaves behind", () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearth-scratch-"));
    for (const name of ["pulumi", "pulumi-language-nodejs", "other"])
      await symlink(process.execPath, join(folder, name));
  });

  after(() => rm(folder, { recursive: true, force: true }));

  /** Starts an engine that starts a program, and gives the numbers of both. */
  const engineWith = async (program: string): Promise<[engine: number, program: number]> => {
    const inner = JSON.stringify(join(folder, program));
    const script = `console.log(require("child_process").spawn(${inner}, ["-e", "setTimeout(() => 0, 60000)"]).pid); setTimeout(() => 0, 60000)`;
    const engine = spawn(join(folder, "pulumi"), ["-e", script], {
      detached: true,
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [line] = (await once(engine.stdout, "data")) as [Buffer];
    return [engine.pid ?? 0, Number(line.toString())];
  };

  it("is the engine with what it started", async () => {
    const pids = await engineWith("pulumi-language-nodejs");
    await endEngine(pids[0]);
    expect(pids.map(isRunning)).to.deep.equal([false, false]);
  });

  it("may finish what it has begun, where it is still working", async () => {
    await writeFile(
      join(folder, "up"),
      'process.once("SIGINT", () => setTimeout(() => { console.log("finished"); process.exit(); }, 200)); ' +
        'setTimeout(() => 0, 60000); console.log("begun")',
    );
    const engine = spawn(join(folder, "pulumi"), ["up"], { cwd: folder, stdio: ["ignore", "pipe", "ignore"] });
    let said = "";
    engine.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
    await once(engine.stdout, "data");
    await endEngine(engine.pid ?? 0);
    expect(said).to.equal("begun\nfinished\n");
  });

  it("is what the engine started, where the engine itself was killed", async () => {
    const [engine, host] = await engineWith("pulumi-language-nodejs");
    process.kill(engine, "SIGKILL");
    await endEngine(engine);
    expect(isRunning(host)).to.equal(false);
  });

  it("is nobody else's process, though it has the number of one", async () => {
    const [engine, other] = await engineWith("other");
    process.kill(engine, "SIGKILL");
    while (isRunning(engine)) await sleep(10);
    await endEngine(engine);
    await endEngine(other);
    expect(isRunning(other)).to.equal(true);
    process.kill(other, "SIGKILL");
  });
});
