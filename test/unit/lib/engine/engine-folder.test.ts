import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { expect } from "chai";
import { execa } from "execa";

import { isRunning } from "../../../../toolchain/running.ts";

const root = join(import.meta.dirname, "../../../..");

const until = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
  for (let tries = 0; tries < 400; tries += 1) {
    if (await holds()) return;
    await sleep(50);
  }
  throw new Error(`It never came that ${what}`);
};

describe("the temporary files of an engine", function () {
  this.timeout(60_000);
  let folder: string;
  let temporary: string;
  const engines = new Set<number>();

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearth-engine-"));
    temporary = join(folder, "tmp");
    await mkdir(temporary);
    // An engine whose plugin writes a kubeconfig to a temporary file, as Go and as Node.js make one, and then does what it is told.
    const program = join(folder, "pulumi");
    await writeFile(
      program,
      `#!/bin/sh
      echo "admin" > "$TMPDIR/kubeconfig$$"
      ${process.execPath} -e 'require("fs").writeFileSync(require("os").tmpdir() + "/by-node", "admin")'
      echo "$TMPDIR" > ${folder}/where.new
      echo $$ > ${folder}/engine
      mv ${folder}/where.new ${folder}/where
      case "$*" in *wait*) trap "" INT TERM HUP; while [ ! -e ${folder}/end ]; do sleep 0.05; done ;; *fail*) exit 1 ;; esac
      echo '{}'\n`,
    );
    await chmod(program, 0o700);
  });

  afterEach(async () => {
    await writeFile(join(folder, "end"), "");
    await until("engines end", () => ![...engines].some((pid) => isRunning(pid) && !isZombie(pid)));
    engines.clear();
    await rm(folder, { recursive: true });
  });

  const isZombie = (pid: number): boolean => !existsSync(`/proc/${pid.toString()}/exe`);

  /** A command that runs the engine. */
  const command = (code: string, env: Record<string, string> = {}) =>
    execa(
      process.execPath,
      [
        ...["--input-type=module", "--eval"],
        // Compiled, as commands are, which starts several times faster.
        `import { load } from ${JSON.stringify(join(root, "toolchain/bundle.mjs"))};
        const { Pulumi } = await load("lib/engine/pulumi.ts");
        const pulumi = new Pulumi(${JSON.stringify(join(folder, "pulumi"))}, ${JSON.stringify(folder)});
        ${code}`,
      ],
      { env: { TMPDIR: temporary, XDG_RUNTIME_DIR: "", ...env }, reject: false },
    );

  const where = async (): Promise<string> => {
    await until("the engine runs", () => existsSync(join(folder, "where")));
    engines.add(Number(await readFile(join(folder, "engine"), "utf8")));
    const found = (await readFile(join(folder, "where"), "utf8")).trim();
    await rm(join(folder, "where"));
    return found;
  };

  const left = (): Promise<string[]> => readdir(temporary);

  it("are in a folder that only the user can look into, by the variables that Go and Node.js read", async () => {
    const running = command(`await pulumi.stream(["wait"], "dev");`);
    const found = await where();
    expect(dirname(found)).to.equal(temporary);
    expect((await stat(found)).mode & 0o777).to.equal(0o700);
    const names = await readdir(found);
    expect(names).to.include("by-node");
    expect(names.some((name) => name.startsWith("kubeconfig"))).to.equal(true);
    await writeFile(join(folder, "end"), "");
    expect((await running).exitCode).to.equal(0);
    expect(existsSync(found)).to.equal(false);
  });

  for (const [what, code] of Object.entries({
    "a run": `await pulumi.stream(["up"], "dev");`,
    "a run that failed": `await pulumi.stream(["fail"], "dev");`,
    "a call": `await pulumi.call(["stack"], "dev");`,
    "a call that failed": `await pulumi.call(["fail"], "dev").catch(() => undefined);`,
    "a run that was killed for its command": `
      const { existsSync } = await import("node:fs");
      const hurry = new AbortController();
      setInterval(() => { if (existsSync("WHERE")) hurry.abort(); }, 50).unref();
      await pulumi.stream(["wait"], "dev", { hurry: hurry.signal });`,
    "a plugin": `
      const { Plugin } = await load("lib/recovery/adoption/plugin.ts");
      const program = { program: ${JSON.stringify("PROGRAM")}, environment: process.env };
      await (await Plugin.start(program, "kubernetes", "127.0.0.1:9")).stop();`,
  })) {
    it(`are gone after ${what}`, async () => {
      const { exitCode, stderr } = await command(
        code.replace("PROGRAM", join(folder, "pulumi")).replace("WHERE", join(folder, "where")),
      );
      expect(exitCode, stderr).to.equal(0);
      expect(existsSync(await where())).to.equal(false);
      expect(await left()).to.deep.equal([]);
    });
  }

  it("stay for an engine that outlives its killed command, and are gone after the next one once it has ended", async () => {
    const killed = command(`await pulumi.stream(["wait"], "dev");`);
    const found = await where();
    killed.kill("SIGKILL");
    await killed;
    const next = () => command(`await pulumi.call(["stack"], "dev");`);
    await next();
    expect(await readdir(found)).to.include("by-node");
    // Nobody else can read what stays meanwhile.
    expect((await stat(found)).mode & 0o777).to.equal(0o700);
    await writeFile(join(folder, "end"), "");
    await until("the engine ends", () => [...engines].every((pid) => !isRunning(pid) || isZombie(pid)));
    await next();
    expect(existsSync(found)).to.equal(false);
    expect(await left()).to.deep.equal([]);
  });

  for (const signal of ["SIGTERM", "SIGHUP"] as const) {
    it(`stay for an engine that outlives a command that ${signal} ended, until the next one`, async () => {
      const ended = command(`await pulumi.stream(["wait"], "dev");`);
      const found = await where();
      ended.kill(signal);
      await ended;
      expect(await readdir(found)).to.include("by-node");
      await writeFile(join(folder, "end"), "");
      await until("the engine ends", () => [...engines].every((pid) => !isRunning(pid) || isZombie(pid)));
      await command(`await pulumi.call(["stack"], "dev");`);
      expect(await left()).to.deep.equal([]);
    });
  }

  it("are gone when a later command ends the engine that outlived its own", async () => {
    const program = join(folder, "pulumi");
    await rm(program);
    // What is ended is known by its name.
    await symlink(process.execPath, program);
    await writeFile(
      join(folder, "wait"),
      `const { writeFileSync } = require("node:fs");
      writeFileSync(process.env.TMPDIR + "/kubeconfig", "admin");
      writeFileSync(${JSON.stringify(join(folder, "engine"))}, process.pid.toString());
      writeFileSync(${JSON.stringify(join(folder, "where"))}, process.env.TMPDIR);
      setTimeout(() => 0, 60_000);`,
    );
    const killed = command(`await pulumi.stream(["wait"], "dev");`);
    const found = await where();
    killed.kill("SIGKILL");
    await killed;
    expect(existsSync(found)).to.equal(true);
    await command(
      `const { endEngine } = await load("lib/engine/processes.ts");
      await endEngine(${[...engines][0]?.toString() ?? ""});`,
    );
    expect(existsSync(found)).to.equal(false);
  });

  it("are in the runtime directory only where that has a gigabyte free", async () => {
    const runtime = join(folder, "run");
    await mkdir(runtime, { mode: 0o700 });
    const code = `
      import { statfsSync } from "node:fs";
      const { bavail, bsize } = statfsSync(${JSON.stringify(runtime)});
      console.log(bavail * bsize >= 2 ** 30);
      await pulumi.call(["stack"], "dev");`;
    const { stdout } = await command(code, { XDG_RUNTIME_DIR: runtime });
    expect(dirname(await where())).to.equal(stdout === "true" ? runtime : temporary);
  });

  it("have no folder where there is neither a runtime directory nor one for temporary files, which is said", async () => {
    const { stderr, exitCode } = await command(
      `process.env.TMPDIR = ${JSON.stringify(join(folder, "nowhere"))};
      await pulumi.call(["stack"], "dev").catch(({ message }) => { console.error(message); process.exit(3); });`,
      { XDG_RUNTIME_DIR: join(folder, "nothing") },
    );
    expect(exitCode).to.equal(3);
    expect(stderr).to.contain(`${join(folder, "nowhere")} takes no temporary files (ENOENT): set TMPDIR to a folder`);
  });
});
