import { cp, mkdir, mkdtemp, readdir, realpath, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { execa } from "execa";

const project = join(import.meta.dirname, "../../..");

describe("a program of the project", function () {
  this.timeout(60_000);
  let folder: string;
  let root: string;

  /** A checkout with the loader, the packages that it needs, and a program. */
  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), "hearth-bundle-")));
    root = join(folder, "checkout");
    await mkdir(join(root, "node_modules"), { recursive: true });
    await mkdir(join(root, "infra"));
    for (const name of ["esbuild", "tsx", "semver"]) {
      await symlink(join(project, "node_modules", name), join(root, "node_modules", name));
    }
    await cp(join(project, "toolchain/bundle.mjs"), join(root, "toolchain/bundle.mjs"));
    await cp(join(project, "toolchain/run.mjs"), join(root, "toolchain/run.mjs"));
    await writeFile(join(root, "package.json"), JSON.stringify({ type: "module" }));
    await program(`import { said } from "./said.ts";\nconsole.log(said as string, ...process.argv.slice(2));\n`);
    await says("first");
  });

  afterEach(() => rm(folder, { recursive: true }));

  const program = (text: string) => writeFile(join(root, "infra/index.ts"), text);
  const says = (text: string) => writeFile(join(root, "infra/said.ts"), `export const said: string = "${text}";\n`);
  const run = async (from = root, ...args: string[]): Promise<string> => {
    const { all } = await execa(process.execPath, [join(from, "toolchain/run.mjs"), "infra/index.ts", ...args], {
      all: true,
      reject: false,
      cwd: folder,
    });
    return all;
  };
  const compiled = async (): Promise<string[]> =>
    (await readdir(join(root, ".compiled"))).filter((name) => !name.endsWith(".json"));

  it("is given its arguments", async () => {
    expect(await run(root, "check", "dev")).to.equal("first check dev");
  });

  it("is compiled once for each content of its files", async () => {
    await run();
    const [first] = await compiled();
    expect(await run()).to.equal("first");
    expect(await compiled()).to.deep.equal([first]);
    await says("second");
    expect(await run()).to.equal("second");
    expect(await compiled()).to.have.length(2);
    await says("first");
    expect(await run()).to.equal("first");
    expect(await compiled()).to.have.length(2);
  });

  it("is compiled anew where a file has other content of the same size and time", async () => {
    const then = new Date("2026-01-01");
    await utimes(join(root, "infra/said.ts"), then, then);
    await run();
    await says("third");
    await utimes(join(root, "infra/said.ts"), then, then);
    expect(await run()).to.equal("third");
  });

  it("is found by the folder of its sources, in a copied checkout by the copy's", async () => {
    await program(`console.log(import.meta.dirname, import.meta.url);`);
    expect(await run()).to.equal(`${root}/infra file://${root}/infra/index.ts`);
    const copy = join(folder, "copy");
    await cp(root, copy, { recursive: true, verbatimSymlinks: true });
    expect(await run(copy)).to.equal(`${copy}/infra file://${copy}/infra/index.ts`);
  });

  it("shares its packages with what loads it", async () => {
    await program(`import semver from "semver";\nexport const parse = semver.parse;\n`);
    await writeFile(
      join(root, "host.mjs"),
      `import semver from "semver";
      import { load } from "./toolchain/bundle.mjs";
      console.log((await load("infra/index.ts")).parse === semver.parse);`,
    );
    const { stdout } = await execa(process.execPath, [join(root, "host.mjs")]);
    expect(stdout).to.equal("true");
  });

  it("loads of Pulumi's packages what it uses", async () => {
    const modules = join(root, "node_modules/@pulumi/cloudflare");
    await mkdir(modules, { recursive: true });
    await writeFile(
      join(modules, "index.js"),
      `exports.Used = null;
      exports.Unused = null;
      for (const name of ["Used", "Unused"]) {
        Object.defineProperty(exports, name, { enumerable: true, get: () => (console.log("loads " + name), name) });
      }`,
    );
    await program(`import * as cloudflare from "@pulumi/cloudflare";\nconsole.log("begins", cloudflare.Used);\n`);
    expect(await run()).to.equal("loads Used\nbegins Used");
  });

  it("loads what serializes functions once a function is serialized", async () => {
    for (const name of ["@pulumi", "@npmcli", "typescript"]) {
      await symlink(join(project, "node_modules", name), join(root, "node_modules", name));
    }
    await program(`import * as pulumi from "@pulumi/pulumi";
      const serializers = () => Object.values(require.cache)
        .map(({ filename }) => /(arborist|typescript)\\/lib\\/(index|typescript)\\.js$/.exec(filename ?? "")?.[1])
        .filter((name) => name !== undefined)
        .join();
      console.log("begins with", serializers());
      const two = 2;
      const { text } = await pulumi.runtime.serializeFunction(() => two * 21);
      console.log(text.includes("two * 21"), serializers());
      process.chdir("checkout");
      await pulumi.runtime.computeCodePaths();
      console.log(serializers());
    `);
    expect(await run()).to.equal("begins with \ntrue typescript\ntypescript,arborist");
  });

  it("fails with the line of its source", async () => {
    await program(
      `type Nothing = undefined;\n\nconst fails = (): Nothing => {\n  throw new Error("broken");\n};\nfails();\n`,
    );
    expect(await run()).to.contain(`Error: broken\n    at fails (${root}/infra/index.ts:4:9)`);
  });

  it("is not run where it cannot be compiled, and the message names the line", async () => {
    await run();
    await says(`";`);
    expect(await run())
      .to.contain("infra/said.ts:1:")
      .and.not.to.contain("first");
  });

  it("keeps the names of classes that another file has too", async () => {
    await writeFile(join(root, "infra/said.ts"), `class Told {}\nexport const said = Told.name;\n`);
    await program(`import { said } from "./said.ts";\nclass Told {}\nconsole.log(said, Told.name);\n`);
    expect(await run()).to.equal("Told Told");
  });

  it("is compiled by two at once", async () => {
    expect(await Promise.all([run(), run(), run()])).to.deep.equal(["first", "first", "first"]);
    expect(await compiled()).to.have.length(1);
  });

  it("keeps what another run may still load, for a day", async () => {
    await run();
    const [first = ""] = await compiled();
    await says("second");
    await run();
    expect(await compiled()).to.include(first);
    const cache = join(root, ".compiled");
    const yesterday = new Date(Date.now() - 25 * 60 * 60 * 1000);
    await utimes(join(cache, first), yesterday, yesterday);
    await says("third");
    expect(await run()).to.equal("third");
    expect(await compiled()).not.to.include(first);
    expect(await run()).to.equal("third");
  });

  it("runs from a checkout that may not be written to", async () => {
    // Not even root may write there.
    await symlink(process.platform === "linux" ? "/sys" : "/System", join(root, ".compiled"));
    expect(await run()).to.equal("first");
  });
});
