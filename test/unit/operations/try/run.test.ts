import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { lastWords, runIn } from "../../../../operations/try/run.ts";
import { messageOf } from "../../../support/failure.ts";

describe("a command of a trial", () => {
  let root: string;
  let said: string[];

  /** Runs a program in place of a checkout's command line. */
  const run = async (
    program: string,
    signal = new AbortController().signal,
    killedBy?: (text: string) => number | undefined,
  ) => {
    await mkdir(join(root, "scripts"), { recursive: true });
    await writeFile(join(root, "scripts", "setup.mjs"), program);
    const log = join(root, "log");
    return runIn(root, ["a.ts", "up"], {
      signal,
      log,
      say: (text) => void said.push(text),
      now: () => said.length,
      killedBy,
    });
  };

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "hearth-run-"));
    said = [];
  });

  afterEach(() => rm(root, { recursive: true, force: true }));

  it("is run in the clone, and its lines are kept in their order, with their times", async () => {
    const program = "console.log(process.argv.slice(2).join()); console.error(process.cwd()); process.exit(3)";
    expect(await run(program)).to.deep.equal({
      isDone: false,
      isKilled: false,
      lines: [
        { at: 0, text: "a.ts,up" },
        { at: 1, text: root },
      ],
    });
    expect(said).to.deep.equal(["a.ts,up", root]);
    expect(await readFile(join(root, "log"), "utf8")).to.equal(`a.ts,up\n${root}\n`);
  });

  it("has no credential of the shell, and not its lab", async () => {
    const names = [
      "PULUMI_BACKEND_URL",
      "AWS_ACCESS_KEY_ID",
      "MY_API_TOKEN",
      "GITHUB_TOKEN",
      "KUBECONFIG",
      "HEARTH_LAB",
    ];
    for (const name of names) process.env[name] = "secret";
    try {
      const { lines } = await run(`console.log(${JSON.stringify(names)}.filter((name) => name in process.env).join())`);
      expect(lines[0]?.text).to.equal("");
    } finally {
      for (const name of names) Reflect.deleteProperty(process.env, name);
    }
  });

  it("is asked to end where the trial is interrupted, and is waited for", async () => {
    const abort = new AbortController();
    const ended = run(
      `process.on("SIGTERM", () => setTimeout(() => { console.log("cleaned up"); process.exit(0); }, 200)); console.log("ready"); setInterval(() => {}, 1000)`,
      abort.signal,
    );
    while (!said.includes("ready")) await new Promise((resolve) => setTimeout(resolve, 20));
    abort.abort(new Error("interrupted"));
    expect(await messageOf(ended)).to.equal("interrupted");
    expect(said).to.include("cleaned up");
  });

  it("is killed upon a line, with all that it started, and cleans up nothing", async () => {
    const child = `import { spawn } from "node:child_process"; const child = spawn("sleep", ["1000"], { detached: true });`;
    const { isDone, isKilled, lines } = await run(
      `${child} process.on("SIGTERM", () => console.log("cleaned up")); console.log(child.pid); console.log("go"); setInterval(() => {}, 1000)`,
      undefined,
      (text) => (text === "go" ? 0 : undefined),
    );
    expect({ isDone, isKilled }).to.deep.equal({ isDone: false, isKilled: true });
    expect(lines.map(({ text }) => text)).to.have.length(2);
    const pid = Number(lines[0]?.text);
    expect(pid).to.be.greaterThan(0);
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    expect(command).to.equal("");
  });

  it("is not killed where it ended before", async () => {
    const ran = await run(`console.log("go"); process.exit(1)`, undefined, () => 2000);
    expect(ran).to.include({ isDone: false, isKilled: false });
  });

  it("is quoted without its progress", () => {
    const lines = [
      "Preview of dev: 2 to update",
      "  preview: 12 resources (15 s)",
      "",
      "  Flux (2 min 5 s)",
      "dev is not deployed:",
      "  why (a reason)",
    ];
    const ran = { isDone: false, isKilled: false, lines: lines.map((text) => ({ at: 0, text })) };
    expect(lastWords(ran).split("\n")).to.deep.equal([
      "Preview of dev: 2 to update",
      "dev is not deployed:",
      "  why (a reason)",
    ]);
    expect(lastWords(ran, 1)).to.equal("  why (a reason)");
  });
});
