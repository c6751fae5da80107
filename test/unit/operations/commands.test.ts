import { globSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { execa } from "execa";
import { format } from "prettier";

import { command } from "../../../lib/terminal/command.ts";
import { commonFlags, readFlags } from "../../../lib/terminal/flags.ts";
import { sorted } from "../../../lib/terminal/forms.ts";
import { commandsPage, groups, help, overview } from "../../../lib/terminal/help.ts";
import { commands } from "../../../operations/commands.ts";
import { hearth } from "../../support/hearth.ts";

const root = join(import.meta.dirname, "../../..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const names = commands.map(({ name }) => name);

/** The words of each command line in the code blocks of a text, without the program, comments and what follows it in the shell. */
const callsIn = (text: string): string[][] =>
  [...text.matchAll(/^ *```(?:sh|console)\n(.*?)^ *```$/gms)]
    .flatMap(([, block = ""]) => block.split("\n"))
    .flatMap((line) => /^ *(?:\$ )?npx hearth (.*)$/.exec(line)?.[1] ?? [])
    .map((line) => line.replace(/ (#|&&|\||>|<|2>).*$/, "").replaceAll(/['"]/g, ""))
    .map((line) => line.split(/\s+/).filter((word) => word !== ""));

describe("the table of commands", () => {
  it("names each command once, in the order of the groups", () => {
    expect(new Set(names).size).to.equal(names.length);
    const order = Object.keys(groups);
    const given = commands.map(({ group }) => order.indexOf(group));
    expect(given).to.deep.equal(given.toSorted((a, b) => a - b));
  });

  it("says of each command what it does in a line that fits beside its name", () => {
    for (const { name, summary } of commands) {
      expect(summary, name).to.match(/^[a-z].{10,115}[^.]$/);
    }
  });

  it("has a handler for each command", async function () {
    this.timeout(60_000);
    for (const { name, load } of commands) expect(await load(), name).to.be.a("function");
  });

  it("lets no command have a flag that all commands have", async () => {
    for (const { name, flags } of commands) {
      expect(Object.keys(await flags()), name).to.not.include.members(Object.keys(commonFlags));
      for (const flag of Object.keys(commonFlags)) expect(Object.keys(await flags()), name).not.to.include(flag);
    }
  });

  it("is what docs/commands.md has; otherwise run: UPDATE_SNAPSHOTS=1 npx mocha test/unit/operations/commands.test.ts", async () => {
    const page = await format(commandsPage(commands), { parser: "markdown", printWidth: 120 });
    if (process.env.UPDATE_SNAPSHOTS === "1") await writeFile(join(root, "docs/commands.md"), page);
    expect(read("docs/commands.md")).to.equal(page);
  });

  it("is what the README has, group by group", () => {
    for (const group of Object.keys(groups)) {
      const [, cells = ""] = new RegExp(`^\\| ${group} +\\| (.*)\\|$`, "m").exec(read("README.md")) ?? [];
      const said = [...cells.matchAll(/`([a-z]+)`/g)].map(([, name]) => name);
      expect(said, group).to.deep.equal(commands.filter((each) => each.group === group).map(({ name }) => name));
    }
  });

  const files = [
    ...globSync("*.md", { cwd: root }),
    ...globSync("docs/{*,guides/*,decisions/*}.md", { cwd: root }),
  ].sort();
  for (const file of files) {
    it(`has every command that ${file} calls`, () => {
      const called = [...read(file).matchAll(/npx hearth ([a-z]+)/g)].map(([, name]) => name);
      expect(called.filter((name) => name === undefined || !names.includes(name))).to.deep.equal([]);
    });

    const lines = callsIn(read(file));
    if (lines.length === 0) continue;
    it(`has every flag and word that ${file} types`, async () => {
      for (const [name = "", ...given] of lines) {
        const command = commands.find((each) => each.name === name);
        if (command === undefined) continue;
        const { positionals } = readFlags(name, given, await command.flags());
        if (!given.includes("--help")) sorted(name, Object.keys(command.forms), positionals);
      }
    });
  }
});

describe("npx hearth", () => {
  it("shows all commands where none is given, and where help is asked for", async () => {
    for (const args of [[], ["--help"], ["-h"], ["help"]]) {
      expect(await hearth(root, args)).to.deep.equal({ exitCode: 0, stdout: overview(commands), stderr: "" });
    }
    for (const { name, summary } of commands)
      expect(overview(commands))
        .to.match(new RegExp(`^  ${name} .*`, "m"))
        .and.contain(summary);
  });

  for (const each of commands) {
    it(`tells of ${each.name} what it takes, with every flag of its own`, async () => {
      const { exitCode, stdout } = await hearth(root, [each.name, "--help"]);
      expect([exitCode, stdout]).to.deep.equal([0, await help(each)]);
      for (const form of Object.keys(each.forms))
        expect(stdout).to.contain(`npx hearth ${`${each.name} ${form}`.trimEnd()}\n`);
      for (const [flag, { what }] of Object.entries(await each.flags())) {
        expect(stdout)
          .to.match(new RegExp(`^  --(no-)?${flag}\\b`, "m"))
          .and.contain(what.split("\n")[0]);
      }
      expect((await hearth(root, ["help", each.name])).stdout).to.equal(stdout);
    });

    it(`refuses a flag that ${each.name} does not have`, async () => {
      const { exitCode, stderr } = await hearth(root, [each.name, "--identiti", "x"]);
      expect(exitCode).to.equal(1);
      expect(stderr).to.equal(
        `${each.name} has no flag --identiti: write --identity\nnpx hearth ${each.name} --help lists what it takes`,
      );
    });
  }

  it("names the command that was most likely meant", async () => {
    const { exitCode, stderr } = await hearth(root, ["rebiuld", "dev"]);
    expect([exitCode, stderr.split("\n")[0]]).to.deep.equal([1, "There is no command rebiuld: write rebuild"]);
  });

  it("names the stack that was most likely meant, before it loads anything", async () => {
    const { exitCode, stderr } = await hearth(root, ["deploy", "porod"]);
    expect([exitCode, stderr]).to.deep.equal([
      1,
      "There is no stack porod, as Pulumi.porod.yaml is missing: write prod",
    ]);
    expect((await hearth(root, ["deploy", "dve"])).stderr).to.contain("write dev");
    expect((await hearth(root, ["deploy", "../dev"])).stderr).to.contain("There is no stack ../dev");
  });

  it("names the word that was most likely meant", async () => {
    const { stderr } = await hearth(root, ["secret", "edti", "FILE"]);
    expect(stderr).to.match(/^edti is nothing that it does: write edit\n\nUsage: npx hearth secret init STACK\n/);
  });

  it("says what is missing, and what is too much", async () => {
    expect((await hearth(root, ["deploy"])).stderr).to.equal("STACK is missing\n\nUsage: npx hearth deploy STACK");
    expect((await hearth(root, ["deploy", "dev", "prod"])).stderr).to.contain("dev prod is not what it takes");
    expect((await hearth(root, ["secret"])).stderr).to.contain("\n       npx hearth secret edit FILE");
  });

  it("asks for the command first", async () => {
    const { exitCode, stderr } = await hearth(root, ["--lab", "deploy", "dev"]);
    expect([exitCode, stderr.split("\n")[0]]).to.deep.equal([1, "Begin with a command, and put --lab after it"]);
  });
});

describe("flags of all commands", () => {
  const probe = command({
    name: "probe",
    group: "look",
    summary: "tells what it is called with",
    forms: { "STACK [NAME]": "" },
    flags: { out: { type: "string", what: "where" }, kms: { type: "boolean", default: true, what: "without" } },
    json: "what it was called with",
    load: () =>
      Promise.resolve(async ({ args, stack, identities, values, print, answer, agreed, open }) => {
        const target = await open().catch((error: unknown) => (error as Error).message);
        const isAgreed = await agreed("Go on?").catch((error: unknown) => (error as Error).message);
        print("said to a person");
        answer({ args, stack, identities, values, isAgreed, target });
        return 0;
      }),
  });

  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearth-flags-"));
    await writeFile(join(folder, "Pulumi.dev.yaml"), "config: {}\n");
  });
  after(() => rm(folder, { recursive: true }));

  const run = async (...args: string[]) => {
    const { stdout, ...ended } = await hearth(folder, ["probe", ...args], undefined, [probe]);
    return { ...ended, stdout };
  };

  it("are read in one place, wherever they stand", async () => {
    const { exitCode, stdout } = await run(
      ...["--identity", "a", "dev", "--json", "--yes", "one", "--lab", "--no-kms", "--identity=b", "--out", "x"],
    );
    expect(exitCode).to.equal(0);
    expect(JSON.parse(stdout)).to.deep.equal({
      ...{ args: ["one"], stack: "dev", identities: ["a", "b"], values: { kms: false, out: "x" }, isAgreed: true },
      target: "The lab of dev was never up: run `npm run lab -- up dev` first",
    });
  });

  it("leave a script nothing but JSON on standard output", async () => {
    const { stdout, stderr } = await run("dev", "--json");
    expect(() => JSON.parse(stdout) as unknown).not.to.throw();
    expect(stderr).to.equal("said to a person");
  });

  it("are not needed: a person is told, and asked", async () => {
    expect(await run("dev", "--lab")).to.deep.equal({ exitCode: 0, stdout: "said to a person", stderr: "" });
    const { stdout } = await run("dev", "--lab", "--json");
    expect(JSON.parse(stdout)).to.include({ isAgreed: "Go on? Nobody is here to answer: say so with --yes" });
  });

  it("are refused where a command has nothing to answer", async () => {
    const { exitCode, stderr } = await hearth(root, ["schema", "--json"]);
    expect([exitCode, stderr]).to.deep.equal([
      1,
      "schema has no answer for a script but its exit code: leave --json out",
    ]);
  });
});

describe("bin/hearth.mjs", () => {
  const bin = join(root, "bin/hearth.mjs");

  it("is the program that npx runs", () => {
    expect(JSON.parse(read("package.json"))).to.have.nested.property("bin.hearth", "bin/hearth.mjs");
  });

  it("gives what a script reads on standard output, and how it ended by its exit code", async function () {
    this.timeout(60_000);
    const good = await execa(bin, ["inventory", "prod", "--json"], { stdin: "ignore" });
    expect(JSON.parse(good.stdout)).to.have.nested.property("[0].node", "den-prod-cp01");
    expect(good.stderr).to.match(/^STACK +NODE/);
    const bad = await execa(bin, ["chek"], { reject: false });
    expect([bad.exitCode, bad.stdout]).to.deep.equal([1, ""]);
    expect(bad.stderr).to.contain("write check").and.not.to.contain("    at ");
  });
});
