import { expect } from "chai";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ToolCache } from "../../toolchain/cache.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";
import type { Tool } from "../../toolchain/tools.ts";
import { stderrOf } from "../support/stderr.ts";
import { sha256, VendorServer } from "../support/vendors.ts";

const greet: Tool = {
  name: "greet",
  module: ".",
  package: "./toolchain/greet",
  source: "toolchain/greet",
  versionOf: "example.com/greet",
  onPath: { ask: ["--version"], accepts: (pinned) => `~${pinned}` },
};

describe("Toolchain, with a vendor", () => {
  let vendor: VendorServer;
  let root: string;
  beforeEach(async () => {
    vendor = await VendorServer.start();
    vendor.serve("/v1.4.2/greet", "hello");
    root = await mkdtemp(join(tmpdir(), "hearth-ways-"));
    await mkdir(join(root, "toolchain/greet"), { recursive: true });
    await mkdir(join(root, "bin"));
    const goMod = "module hearth.dev\n\ngo 1.20\n\nrequire example.com/greet v1.4.2 // indirect\n";
    await writeFile(join(root, "go.mod"), goMod);
    await writeFile(join(root, "go.sum"), "");
    await writeFile(join(root, "toolchain/greet/main.go"), "package main\n\nfunc main() {}\n");
  });
  afterEach(async () => {
    await vendor[Symbol.asyncDispose]();
    await rm(root, { recursive: true, force: true });
  });

  const toolchain = (env: NodeJS.ProcessEnv = {}): Toolchain =>
    new Toolchain({
      root,
      table: [greet],
      patches: {},
      cache: new ToolCache(join(root, "cache"), new ToolCache().go),
      // A machine without Go, unless a test says otherwise.
      env: { PATH: join(root, "bin"), ...env },
      vendors: {
        platform: "linux/amd64",
        releases: [
          {
            licence: "MIT",
            from: { file: ({ version }) => `${vendor.url}/v${version}/greet` },
            holds: { greet: () => "greet" },
          },
        ],
        digests: { greet: { version: "1.4.2", "linux/amd64": sha256("hello") } },
      },
    });
  const ensure = async (env: NodeJS.ProcessEnv = {}) => {
    let path = "";
    const said = await stderrOf(async () => (path = (await toolchain(env).ensure(["greet"])).greet ?? ""));
    return { path, said };
  };

  it("downloads the release at the version that the Go module pins, without Go", async () => {
    const { path, said } = await ensure();
    expect(await readFile(path, "utf8")).to.equal("hello");
    expect(said).to.match(/^1 tool missing: 1 downloaded from /);
  });

  it("asks nobody for what it downloaded before, and says where it is from", async () => {
    const { path } = await ensure();
    const asked = vendor.requests.length;
    expect(await ensure()).to.deep.equal({ path, said: "" });
    expect((await toolchain().locate(["greet"])).get("greet")?.source).to.equal("download");
    expect(vendor.requests).to.have.length(asked);
  });

  it("asks nobody where an accepted version is on PATH", async () => {
    const path = join(root, "bin/greet");
    await writeFile(path, "#!/bin/sh\necho v1.4.9\n", { mode: 0o755 });
    expect(await ensure({ PATH: `${join(root, "bin")}:/usr/bin:/bin` })).to.deep.equal({ path, said: "" });
    expect(vendor.requests).to.deep.equal([]);
  });

  it("has a download anew that was changed in the cache, and says so", async () => {
    const { path } = await ensure();
    await writeFile(path, "hellO");
    const again = await ensure();
    expect(again.said).to.match(/^greet in the cache has changed/);
    expect(await readFile(again.path, "utf8")).to.equal("hello");
  });

  it("builds what the vendor does not give", async function () {
    this.timeout(60_000);
    vendor.serve("/v1.4.2/greet", "", { statuses: [404] });
    const { path, said } = await ensure({ ...process.env });
    expect(said).to.include("greet could not be downloaded from");
    expect(said).to.include("Building 1 tools");
    expect(path).to.match(/\/tools\/greet\/[0-9a-f]{32}\/bin\/greet$/);
  });
});
