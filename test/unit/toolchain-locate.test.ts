import { expect } from "chai";
import { execa } from "execa";
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ToolCache } from "../../toolchain/cache.ts";
import { printedVersion } from "../../toolchain/locate.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";
import type { Tool } from "../../toolchain/tools.ts";
import { messageOf } from "../support/failure.ts";

const table: Tool[] = [
  {
    name: "greet",
    module: ".",
    package: "./toolchain/greet",
    source: "toolchain/greet",
    versionOf: "example.com/greet",
    onPath: { ask: ["--version"], accepts: (pinned) => `~${pinned}` },
  },
  {
    name: "greet-plugin",
    module: ".",
    package: "./toolchain/greet/plugin",
    source: "toolchain/greet",
    versionOf: "example.com/greet",
    shipsWith: "greet",
    vendorPlugin: "@greet/plugin",
  },
];

describe("Toolchain", () => {
  let root: string;
  const write = async (path: string, text: string, mode = 0o644): Promise<string> => {
    const full = join(root, path);
    await mkdir(dirname(full), { recursive: true });
    await writeFile(full, text, { mode });
    return full;
  };
  /** Installs a program that prints text, whatever it is asked. */
  const program = (path: string, text: string): Promise<string> => write(path, `#!/bin/sh\necho '${text}'\n`, 0o755);
  // What every Go program needs is compiled once, not once a test.
  const toolchain = (env: NodeJS.ProcessEnv = {}, checkout = root, goCaches = new ToolCache().go): Toolchain =>
    new Toolchain({
      root: checkout,
      table,
      patches: {},
      cache: new ToolCache(join(root, "cache"), goCaches),
      env: {
        ...process.env,
        PATH: `${join(root, "bin")}:${process.env.PATH ?? ""}`,
        PULUMI_HOME: join(root, "home"),
        ...env,
      },
    });
  const located = async (name: string): Promise<string | undefined> =>
    (await toolchain().locate([name])).get(name)?.source;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "hearth-locate-"));
    await write("go.mod", "module hearth.dev\n\ngo 1.20\n\nrequire example.com/greet v1.4.2 // indirect\n");
    await write("go.sum", "");
    await write("toolchain/greet/main.go", 'package main\n\nfunc main() { println("hello") }\n');
    await write("toolchain/greet/plugin/main.go", 'package main\n\nfunc main() { println("plugin") }\n');
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it("takes a program on PATH whose version is accepted", async () => {
    const path = await program("bin/greet", "greet version v1.4.9 (linux)");
    const found = (await toolchain().locate(["greet"])).get("greet");
    expect(found).to.deep.equal({ path, version: "1.4.9", source: "PATH" });
  });

  it("passes over a program on PATH whose version is not accepted", async () => {
    await program("bin/greet", "greet version v1.5.0 (linux)");
    expect(await located("greet")).to.equal(undefined);
  });

  it("passes over a program on PATH that does not say its version", async () => {
    await program("bin/greet", "hello");
    expect(await located("greet")).to.equal(undefined);
  });

  it("builds what is nowhere, and finds it in the cache from then on, from another checkout too", async function () {
    this.timeout(120_000);
    const paths = await toolchain().ensure(["greet"]);
    for (const name of ["go.mod", "go.sum", "toolchain"]) {
      await cp(join(root, name), join(root, "elsewhere", name), { recursive: true });
    }
    const other = (await toolchain({}, join(root, "elsewhere")).locate(["greet"])).get("greet");
    expect(other).to.deep.equal({ path: paths.greet, version: "1.4.2", source: "cache" });
    expect(paths.greet).to.match(/\/cache\/tools\/greet\/[0-9a-f]{32}\/bin\/greet$/);
  });

  it("builds tools of one module by one build, and hands on each under its own name", async function () {
    this.timeout(120_000);
    const paths = await toolchain().ensure(["greet", "greet-plugin"]);
    const said = await Promise.all(["greet", "greet-plugin"].map((name) => execa(paths[name] ?? "", { all: true })));
    expect(said.map(({ all }) => all)).to.deep.equal(["hello", "plugin"]);
    expect(await readdir(join(root, "cache", "work"))).to.deep.equal([]);
  });

  it("takes what ships with a program from beside it, when that one is from PATH", async () => {
    await program("bin/greet", "v1.4.2");
    await program("bin/greet-plugin", "");
    expect(await located("greet-plugin")).to.equal("PATH");
  });

  it("passes over what lies on PATH beside no accepted program", async () => {
    await program("bin/greet-plugin", "");
    expect(await located("greet-plugin")).to.equal(undefined);
  });

  it("prefers the vendor's plugin, at the version that the npm package asks for", async () => {
    await write("node_modules/@greet/plugin/package.json", '{"pulumi": {"name": "greet", "version": "6.1.0"}}');
    await program("home/plugins/resource-greet-v6.0.0/greet-plugin", "");
    expect(await located("greet-plugin")).to.equal(undefined);
    await program("home/plugins/resource-greet-v6.1.0/greet-plugin", "");
    expect(await located("greet-plugin")).to.equal("plugin folder");
  });

  it("takes no plugin but the vendor's with HEARTH_PLUGINS=vendor, and says how to get it", async () => {
    await write("node_modules/@greet/plugin/package.json", '{"pulumi": {"name": "greet", "version": "6.1.0"}}');
    const only = toolchain({ HEARTH_PLUGINS: "vendor" });
    expect(await messageOf(only.ensure(["greet-plugin"]))).to.match(
      /^HEARTH_PLUGINS=vendor accepts .* greet-plugin is not installed: run pulumi install/,
    );
    const path = await program("home/plugins/resource-greet-v6.1.0/greet-plugin", "");
    expect(await only.ensure(["greet-plugin"])).to.deep.equal({ "greet-plugin": path });
    expect(await messageOf(toolchain({ HEARTH_PLUGINS: "mine" }).locate(["greet-plugin"]))).to.equal(
      "HEARTH_PLUGINS is mine: set it to vendor, or do not set it",
    );
  });

  it("says of a failed build which tool it was, where its log is, and how that ends", async function () {
    this.timeout(60_000);
    await write("toolchain/greet/main.go", "package main\n\nfunc main() { undefinedThing() }\n");
    const message = await messageOf(toolchain().ensure(["greet"]));
    expect(message).to.include("Building greet failed");
    expect(message).to.include(join(root, "cache", "logs", "build.log"));
    expect(message).to.include("undefined: undefinedThing");
  });

  it("leaves nothing half-made after a failed build", async function () {
    this.timeout(60_000);
    await write("toolchain/greet/main.go", "package main\n\nfunc main() { undefinedThing() }\n");
    await messageOf(toolchain().ensure(["greet"]));
    for (const folder of ["tools", "work", "locks"])
      expect(await readdir(join(root, "cache", folder))).to.deep.equal([]);
  });

  it("says in one line that Go is missing", async () => {
    const message = await messageOf(toolchain({ PATH: join(root, "bin") }).ensure(["greet"]));
    expect(message).to.match(/^Go is missing, .* install it from go\.dev\/dl/);
  });

  it("says in one line that Go is too old", async () => {
    await program("bin/go", '{"GOVERSION": "go1.18.1", "GOOS": "linux", "GOARCH": "amd64"}');
    const message = await messageOf(toolchain().ensure(["greet"]));
    expect(message).to.match(/^Hearth builds its tools with Go 1\.20\.0 or later, and PATH has go1\.18\.1/);
  });

  it("says in one line that the cache cannot be written", async () => {
    await write("cache", "a file where the folder would be");
    const message = await messageOf(toolchain().ensure(["greet"]));
    expect(message).to.match(/^The cache \S+ is not writable \(E\w+\): .* HEARTH_CACHE/);
  });

  it("names the tools there are when asked for another", async () => {
    expect(await messageOf(toolchain().ensure(["gret"]))).to.equal(
      'There is no tool "gret": use one of greet, greet-plugin',
    );
  });

  it("gives back what builds took and what another checkout used, and keeps what this one has", async function () {
    this.timeout(120_000);
    const { greet: older = "" } = await toolchain().ensure(["greet"]);
    await write("toolchain/greet/main.go", 'package main\n\nfunc main() { println("hello again") }\n');
    const { greet: newer = "" } = await toolchain().ensure(["greet"]);
    expect(older).not.to.equal(newer);
    const compiled = dirname(await write("go/build/compiled", "x".repeat(1000)));
    expect(await toolchain({}, root, dirname(compiled)).prune()).to.be.above(1_001_000);
    expect(await readdir(root)).not.to.include("go");
    expect((await toolchain().locate(["greet"])).get("greet")?.path).to.equal(newer);
    expect(await readdir(dirname(dirname(dirname(newer))))).to.have.length(1);
  });
});

describe("printedVersion", () => {
  for (const [output, version] of Object.entries({
    "etcd Version: 3.6.6\nGit SHA: x": "3.6.6",
    "Client Version: v1.32.4-dispatcher": "1.32.4",
    "kwok version v0.8.0 go1.26.8 (linux/amd64)": "0.8.0",
    "v3.259.0": "3.259.0",
  })) {
    it(`finds ${version} in "${output.split("\n")[0] ?? ""}"`, () => {
      expect(printedVersion(output)).to.equal(version);
    });
  }

  it("finds none where none is", () => {
    expect(printedVersion("Git SHA: Not provided")).to.equal(undefined);
  });
});
