import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { expect } from "chai";
import { execa } from "execa";

const root = join(import.meta.dirname, "../../../..");

describe("a private folder", function () {
  this.timeout(30_000);
  let runtime: string;

  beforeEach(async () => {
    runtime = await mkdtemp(join(tmpdir(), "hearth-runtime-"));
    await chmod(runtime, 0o700);
  });

  afterEach(() => rm(runtime, { recursive: true, force: true }));

  /** A command that puts a secret into its folder, and then does something. */
  const command = (then: string, env: Record<string, string> = {}) =>
    execa(
      process.execPath,
      [
        ...["--import", import.meta.resolve("tsx"), "--input-type=module", "--eval"],
        `import { writeFileSync } from "node:fs";
        import { withPrivateFolder } from ${JSON.stringify(join(root, "lib/secrets/private-folder.ts"))};
        await withPrivateFolder(async (folder) => {
          writeFileSync(folder + "/secret", "hunter2");
          writeFileSync(${JSON.stringify(runtime)} + "/where", folder);
          ${then}
        });`,
      ],
      { env: { XDG_RUNTIME_DIR: runtime, ...env }, reject: false },
    );

  const where = async (): Promise<string> => {
    for (let tries = 0; tries < 200; tries += 1) {
      const folder = await readFile(join(runtime, "where"), "utf8").catch(() => "");
      if (folder !== "") return folder;
      await sleep(50);
    }
    throw new Error("The command made no folder");
  };

  const left = async (): Promise<string[]> => (await readdir(runtime)).filter((name) => name !== "where");

  const waiting = "await new Promise((resolve) => setTimeout(resolve, 20_000));";

  it("is in the runtime directory, and its user's alone", async () => {
    const running = command(waiting);
    const folder = await where();
    expect(folder.startsWith(`${runtime}/`)).to.equal(true);
    expect((await stat(folder)).mode & 0o777).to.equal(0o700);
    running.kill("SIGKILL");
    await running;
  });

  it("is gone when the work is done, and when it has failed", async () => {
    expect((await command("")).exitCode).to.equal(0);
    expect(existsSync(await where())).to.equal(false);
    expect((await command('throw new Error("no");')).exitCode).to.equal(1);
    expect((await command("process.exit(3);")).exitCode).to.equal(3);
    expect(await left()).to.deep.equal([]);
  });

  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    it(`is gone after ${signal}, of which the command dies as it would without`, async () => {
      const running = command(waiting);
      const folder = await where();
      running.kill(signal);
      expect((await running).signal).to.equal(signal);
      expect(existsSync(folder)).to.equal(false);
    });
  }

  it("is gone after a signal that the command handles by ending its work", async () => {
    const running = command(
      `await new Promise((resolve) => {
        const timer = setTimeout(resolve, 20_000);
        process.once("SIGINT", () => { clearTimeout(timer); resolve(); });
      });`,
    );
    const folder = await where();
    await sleep(100);
    running.kill("SIGINT");
    expect((await running).exitCode).to.equal(0);
    expect(existsSync(folder)).to.equal(false);
  });

  it("of a killed process goes when the next starts, and that of a running one stays", async () => {
    const killed = command(waiting);
    const folder = await where();
    killed.kill("SIGKILL");
    await killed;
    expect(existsSync(folder)).to.equal(true);
    await rm(join(runtime, "where"));
    const running = command(waiting);
    const other = await where();
    expect(existsSync(folder)).to.equal(false);
    await command("");
    expect(existsSync(other)).to.equal(true);
    running.kill("SIGKILL");
    await running;
  });

  it("is in the folder for temporary files where others can look into the runtime directory", async () => {
    const elsewhere = join(runtime, "tmp");
    await mkdir(elsewhere);
    await writeFile(join(runtime, "note"), "");
    await chmod(runtime, 0o755);
    const running = command(waiting, { TMPDIR: elsewhere });
    expect((await where()).startsWith(`${elsewhere}/`)).to.equal(true);
    running.kill("SIGTERM");
    await running;
    expect((await readdir(elsewhere)).filter((name) => name.startsWith("hearth-"))).to.deep.equal([]);
  });
});
