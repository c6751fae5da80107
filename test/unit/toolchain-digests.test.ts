import { expect } from "chai";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pinned from "../../toolchain/vendors/digests.json" with { type: "json" };
import { isComplete, merge, render } from "../../toolchain/vendors/digests.ts";
import { published } from "../../toolchain/vendors/published.ts";
import type { Release } from "../../toolchain/vendors/releases.ts";
import { Web } from "../../toolchain/vendors/web.ts";
import { readFileSync } from "node:fs";
import { sha256, tarGz, VendorServer } from "../support/vendors.ts";

const holds = { greet: () => "greet" };

describe("published", () => {
  let vendor: VendorServer;
  let web: Web;
  let work: string;
  beforeEach(async () => {
    vendor = await VendorServer.start();
    web = new Web({});
    work = await mkdtemp(join(tmpdir(), "hearth-published-"));
  });
  afterEach(async () => {
    await web.close();
    await vendor[Symbol.asyncDispose]();
    await rm(work, { recursive: true });
  });

  const ask = (release: Release) =>
    published(release, "1.0.0", { web, work, github: { site: vendor.url, api: `${vendor.url}/api`, token: "t" } });
  const file = (path: string): Release => ({
    licence: "MIT",
    from: { file: ({ version, arch }) => `${vendor.url}${path.replace("VERSION", version)}-${arch}` },
    holds,
  });
  const failureOf = (release: Release): Promise<unknown> => ask(release).catch((error: unknown) => error);

  it("reads the checksum beside each file, and tries the file", async () => {
    for (const arch of ["amd64", "arm64"]) {
      vendor.serve(`/greet-${arch}`, arch);
      vendor.serve(`/greet-${arch}.sha256`, `${sha256(arch)}\n`);
    }
    expect(await ask(file("/greet"))).to.deep.equal({
      version: "1.0.0",
      "linux/amd64": sha256("amd64"),
      "linux/arm64": sha256("arm64"),
    });
    expect(await readdir(work)).to.deep.equal([]);
  });

  it("leaves out a platform of which nothing is published", async () => {
    vendor.serve("/greet-amd64", "amd64");
    vendor.serve("/greet-amd64.sha256", sha256("amd64"));
    expect(await ask(file("/greet"))).to.deep.equal({ version: "1.0.0", "linux/amd64": sha256("amd64") });
  });

  it("refuses what is published where the file itself is another", async () => {
    vendor.serve("/greet-amd64", "amd64");
    vendor.serve("/greet-amd64.sha256", sha256("something else"));
    expect(await failureOf(file("/greet")))
      .to.have.property("message")
      .that.includes("differs");
  });

  it("asks GitHub for the digests of a release's files", async () => {
    const assets = [
      { name: "greet-amd64", digest: `sha256:${sha256("amd64")}` },
      { name: "greet-arm64", digest: null },
    ];
    vendor.serve("/api/repos/org/greet/releases/tags/v1.0.0", JSON.stringify({ assets }));
    vendor.serve("/org/greet/releases/download/v1.0.0/greet-amd64", "amd64");
    const digests = await ask(file("/org/greet/releases/download/vVERSION/greet"));
    expect(digests).to.deep.equal({ version: "1.0.0", "linux/amd64": sha256("amd64") });
    expect(vendor.requests[0]?.headers.authorization).to.equal("Bearer t");
    expect(vendor.requests.find(({ path }) => path.startsWith("/org"))?.headers).to.not.have.property("authorization");
  });

  it("takes the digest of an image, and looks for the program for each platform", async () => {
    const layer = tarGz([{ path: "greet", content: "hello" }]);
    const digest = vendor.serveImage("org/greet", [layer], { tag: "v1.0.0", architecture: ["amd64", "arm64"] });
    const release = { licence: "MIT", from: { image: () => `${vendor.url}/org/greet:v1.0.0` }, holds };
    expect(await ask(release)).to.deep.equal({ version: "1.0.0", image: digest });
  });
});

describe("digests.json", () => {
  const release: Release = { licence: "MIT", from: { file: () => "" }, holds };

  it("is written as it is read", () => {
    const path = join(import.meta.dirname, "../../toolchain/vendors/digests.json");
    expect(render(pinned)).to.equal(readFileSync(path, "utf8"));
  });

  it("lacks what is of another version, or of one platform only", () => {
    const all = { version: "1.0.0", "linux/amd64": "a", "linux/arm64": "b" };
    expect(isComplete(release, "1.0.0", all)).to.equal(true);
    expect(isComplete(release, "1.0.1", all)).to.equal(false);
    expect(isComplete(release, "1.0.0", { version: "1.0.0", "linux/amd64": "a" })).to.equal(false);
    expect(isComplete(release, "1.0.0", undefined)).to.equal(false);
  });

  it("keeps what is known of the same version beside what is published", () => {
    const known = { version: "1.0.0", "linux/amd64": "a" };
    expect(merge("greet", known, { version: "1.0.0", "linux/arm64": "b" })).to.deep.equal({
      ...known,
      "linux/arm64": "b",
    });
    expect(merge("greet", known, { version: "1.0.1", "linux/arm64": "b" })).to.not.have.property("linux/amd64");
  });

  it("refuses a digest that is published where another one was known", () => {
    const known = { version: "1.0.0", "linux/amd64": "a" };
    expect(() => merge("greet", known, { version: "1.0.0", "linux/amd64": "b" })).to.throw(
      "do not trust a release that changed",
    );
  });
});
