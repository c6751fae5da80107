import { expect } from "chai";
import { mkdtemp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ToolCache } from "../../toolchain/cache.ts";
import { Problem } from "../../toolchain/problem.ts";
import type { Tool } from "../../toolchain/tools.ts";
import type { Release } from "../../toolchain/vendors/releases.ts";
import { Vendors, type Absent } from "../../toolchain/vendors/vendors.ts";
import type { Digests } from "../../toolchain/vendors/wanted.ts";
import { stderrOf } from "../support/stderr.ts";
import { ForwardProxy, sha256, tarGz, VendorServer, type Served, type TarEntry } from "../support/vendors.ts";

const tool = (name: string): Tool => ({
  name,
  module: "toolchain/greet",
  package: ".",
  versionOf: "example.com/greet",
});
const version = "1.4.2";
const greet = { tool: tool("greet"), version };
const wave = { tool: tool("wave"), version };

describe("Vendors", () => {
  let vendor: VendorServer;
  let root: string;
  /** Long enough for a busy machine. */
  let probe: number;
  let cache: ToolCache;
  beforeEach(async () => {
    probe = 5_000;
    vendor = await VendorServer.start();
    root = await mkdtemp(join(tmpdir(), "hearth-vendors-"));
    cache = new ToolCache(join(root, "cache"));
  });
  afterEach(async () => {
    await vendor[Symbol.asyncDispose]();
    await rm(root, { recursive: true });
  });

  const file = (path: string, tools: string[], packed?: Release["packed"]): Release => ({
    licence: "MIT",
    from: { file: () => `${vendor.url}${path}` },
    ...(packed === undefined ? {} : { packed }),
    holds: Object.fromEntries(tools.map((name) => [name, () => `${name}-1.4.2/${name}`])),
  });
  const image = (name: string): Release => ({
    licence: "MIT",
    from: { image: () => `${vendor.url}/${name}:v${version}` },
    holds: { greet: () => "usr/local/bin/greet" },
  });
  const vendors = (releases: Release[], digests: Record<string, Digests>, env: NodeJS.ProcessEnv = {}): Vendors =>
    new Vendors({
      root,
      cache,
      env,
      platform: "linux/amd64",
      releases,
      digests,
      timeouts: { probe, headers: 5_000, body: 5_000 },
      retry: { tries: 2, pause: 1 },
    });
  const pinned = (content: Buffer | string): Digests => ({ version, "linux/amd64": sha256(content) });

  /** Serves a program that is not packed, and pins it. */
  const plain = (how: Omit<Served, "content"> = {}, env: NodeJS.ProcessEnv = {}): Vendors => {
    vendor.serve("/greet", "hello", how);
    return vendors([file("/greet", ["greet"])], { greet: pinned("hello") }, env);
  };
  const archive = (entries: TarEntry[], tools = ["greet"]): Vendors => {
    const content = tarGz(entries);
    vendor.serve("/greet.tar.gz", content);
    return vendors([file("/greet.tar.gz", tools, "tar.gz")], { greet: pinned(content) });
  };
  const fetched = async (from: Vendors, ...absent: Absent[]) => {
    let paths: Record<string, string> = {};
    const said = await stderrOf(async () => (paths = await from.fetch(absent.length === 0 ? [greet] : absent)));
    return { paths, said };
  };
  const problemOf = async (from: Vendors): Promise<string> => {
    let problem: unknown;
    await stderrOf(() => from.fetch([greet]).catch((error: unknown) => (problem = error)));
    expect(problem).to.be.instanceOf(Problem);
    return (problem as Problem).message;
  };
  const gets = (): string[] => vendor.requests.filter(({ method }) => method === "GET").map(({ path }) => path);

  it("downloads what the table pins, keeps it with its digest, and needs no network for it again", async () => {
    const from = plain();
    const { paths, said } = await fetched(from);
    expect(await readFile(paths.greet ?? "", "utf8")).to.equal("hello");
    expect(await readFile(`${paths.greet ?? ""}.sha256`, "utf8")).to.equal(`${sha256("hello")}  greet\n`);
    expect(said).to.include(`1 tool missing: 1 downloaded from ${vendor.host}`);
    const asked = vendor.requests.length;
    expect(await from.cached(greet)).to.deep.equal({ path: paths.greet, version, source: "download" });
    expect(vendor.requests).to.have.length(asked);
  });

  it("leaves nothing but the program", async () => {
    await fetched(archive([{ path: "greet-1.4.2/greet", content: "hello" }]));
    for (const folder of ["downloads", "work", "locks"]) {
      expect(await readdir(join(cache.root, folder))).to.deep.equal([]);
    }
  });

  it("takes several tools from one archive, which it downloads once", async () => {
    const entries = ["greet", "wave"].map((name) => ({ path: `greet-1.4.2/${name}`, content: name }));
    const release = { ...file("/greet.tar.gz", [], "tar.gz"), holds: holding("greet", "wave") };
    const content = tarGz(entries);
    vendor.serve("/greet.tar.gz", content);
    const { paths } = await fetched(vendors([release], { greet: pinned(content) }), greet, wave);
    expect(await readFile(paths.wave ?? "", "utf8")).to.equal("wave");
    expect(gets()).to.deep.equal(["/greet.tar.gz"]);
  });

  it("asks each server once whether it answers", async () => {
    for (const name of ["greet", "wave"]) vendor.serve(`/${name}`, name);
    const releases = ["greet", "wave"].map((name) => file(`/${name}`, [name]));
    const from = vendors(releases, { greet: pinned("greet"), wave: pinned("wave") });
    expect(Object.keys((await fetched(from, greet, wave)).paths)).to.have.members(["greet", "wave"]);
    expect(vendor.requests.filter(({ method }) => method === "HEAD")).to.have.length(1);
  });

  it("asks nobody where no digest is known, and says so", async () => {
    vendor.serve("/greet", "hello");
    for (const digests of [{}, { greet: { ...pinned("hello"), version: "1.4.1" } }] as Record<string, Digests>[]) {
      const { paths, said } = await fetched(vendors([file("/greet", ["greet"])], digests));
      expect(paths).to.deep.equal({});
      expect(said).to.equal("1 tool missing: 1 built: greet (digest unknown)\n");
    }
    expect(vendor.requests).to.deep.equal([]);
  });

  it("asks nobody where downloads are off", async () => {
    const { paths, said } = await fetched(plain({}, { HEARTH_DOWNLOADS: "off" }));
    expect(paths).to.deep.equal({});
    expect(said).to.include("greet (HEARTH_DOWNLOADS=off)");
    expect(vendor.requests).to.deep.equal([]);
  });

  it("says which tools are downloaded and which are built, and why", async () => {
    const from = plain();
    const { paths, said } = await fetched(from, greet, wave);
    expect(Object.keys(paths)).to.deep.equal(["greet"]);
    expect(said).to.include(`2 tools missing: 1 downloaded from ${vendor.host}; 1 built: wave (no release file)`);
  });

  it("says of Hearth's own tools that they are", async () => {
    const own: Tool = { name: "hearth-wave", module: "lab", package: "." };
    const { said } = await fetched(plain(), { tool: own, version: "" });
    expect(said).to.equal("1 tool missing: 1 built: hearth-wave (Hearth's own)\n");
  });

  it("gives up a server that does not answer, within the time of one question", async () => {
    probe = 300;
    const started = Date.now();
    const { paths, said } = await fetched(plain({ silent: true }));
    expect(paths).to.deep.equal({});
    expect(said).to.include(`greet (${vendor.host} does not answer (no answer in time))`);
    expect(Date.now() - started).to.be.lessThan(4_000);
  });

  it("gives up a server that refuses", async () => {
    const { paths, said } = await fetched(plain({ token: "secret" }));
    expect(paths).to.deep.equal({});
    expect(said).to.include("answers HTTP 401");
  });

  it("leaves a file that is missing to be built, and takes the others of the same server", async () => {
    vendor.serve("/wave", "wave");
    const releases = [file("/greet", ["greet"]), file("/wave", ["wave"])];
    const { paths, said } = await fetched(
      vendors(releases, { greet: pinned("hello"), wave: pinned("wave") }),
      greet,
      wave,
    );
    expect(Object.keys(paths)).to.deep.equal(["wave"]);
    expect(said).to.include(`greet could not be downloaded from ${vendor.url}/greet: HTTP 404`);
  });

  it("goes on with what an earlier process left of a download", async () => {
    await mkdir(join(cache.root, "downloads"), { recursive: true });
    await writeFile(join(cache.root, "downloads", sha256("hello")), "hel");
    expect(Object.keys((await fetched(plain())).paths)).to.deep.equal(["greet"]);
    expect(vendor.requests.at(-1)?.headers.range).to.equal("bytes=3-");
  });

  it("stops where the digest differs, and keeps nothing", async () => {
    vendor.serve("/greet", "hellO");
    const from = vendors([file("/greet", ["greet"])], { greet: pinned("hello") });
    expect(await problemOf(from)).to.include(`found     sha256:${sha256("hellO")}`);
    expect(await from.cached(greet)).to.equal(undefined);
    expect(await readdir(join(cache.root, "downloads"))).to.deep.equal([]);
  });

  it("stops where the archive does not hold the program", async () => {
    expect(await problemOf(archive([{ path: "greet-1.4.3/greet", content: "hello" }]))).to.match(
      /holds no greet-1\.4\.2\/greet: the path of greet in toolchain\/vendors\/releases\.ts/,
    );
  });

  it("stops where the cache cannot be written", async () => {
    await mkdir(cache.root, { recursive: true });
    await writeFile(join(cache.root, "downloads"), "a file where the folder would be");
    expect(await problemOf(plain())).to.match(/^The cache \S+ is not writable/);
  });

  it("goes through the proxy that the environment names", async () => {
    const proxy = await ForwardProxy.start();
    try {
      await fetched(plain({}, { HTTP_PROXY: proxy.url }));
      expect(proxy.passed).to.be.greaterThan(0);
    } finally {
      await proxy[Symbol.asyncDispose]();
    }
  });

  it("downloads once where two processes ask for the same", async () => {
    const from = plain();
    await stderrOf(() => Promise.all([from.fetch([greet]), from.fetch([greet])]));
    expect(gets()).to.deep.equal(["/greet"]);
  });

  describe("with an image", () => {
    const binary = (content: string): Buffer => tarGz([{ path: "usr/local/bin/greet", content }]);
    const base = tarGz([{ path: "etc/os-release", content: "base" }]);
    const from = (digest: string): Vendors => vendors([image("org/greet")], { greet: { version, image: digest } });

    it("takes the program from the topmost layer that has it, with a token, and no other layer", async () => {
      const layers = [binary("old"), binary("hello"), base];
      const { paths } = await fetched(from(vendor.serveImage("org/greet", layers)));
      expect(await readFile(paths.greet ?? "", "utf8")).to.equal("hello");
      expect(gets()).to.not.include(`/v2/org/greet/blobs/sha256:${sha256(layers[0] ?? "")}`);
    });

    it("gives the token to the registry alone, not to where a layer lies", async () => {
      await using blobs = await VendorServer.start();
      await fetched(from(vendor.serveImage("org/greet", [binary("hello")], { blobs })));
      expect(blobs.requests).to.have.length(1);
      expect(blobs.requests[0]?.headers).to.not.have.property("authorization");
    });

    it("stops where the image is not the one that is pinned", async () => {
      vendor.serveImage("org/greet", [binary("hello")]);
      const digest = "b".repeat(64);
      vendor.serve(`/v2/org/greet/manifests/sha256:${digest}`, "{}");
      expect(await problemOf(from(digest))).to.include(`found     sha256:${sha256("{}")}`);
    });

    it("stops where a layer is not the one that the image names", async () => {
      const layer = binary("hello");
      const digest = vendor.serveImage("org/greet", [layer]);
      vendor.serve(`/v2/org/greet/blobs/sha256:${sha256(layer)}`, binary("evil"));
      expect(await problemOf(from(digest))).to.include(`expected  sha256:${sha256(layer)}`);
    });

    it("stops where no layer holds the program", async () => {
      expect(await problemOf(from(vendor.serveImage("org/greet", [base])))).to.include("holds no usr/local/bin/greet");
    });

    it("leaves a program to be built whose image is not made for this machine", async () => {
      const digest = vendor.serveImage("org/greet", [binary("hello")], { architecture: "arm64" });
      const { paths, said } = await fetched(from(digest));
      expect(paths).to.deep.equal({});
      expect(said).to.include("there is no image for linux/amd64");
    });
  });
});

const holding = (...names: string[]): Release["holds"] =>
  Object.fromEntries(names.map((name) => [name, () => `greet-1.4.2/${name}`]));
