import { expect } from "chai";
import { access, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { download, Unavailable } from "../../toolchain/vendors/download.ts";
import { Web } from "../../toolchain/vendors/web.ts";
import { Problem } from "../../toolchain/problem.ts";
import { failureOf } from "../support/failure.ts";
import { ForwardProxy, sha256, VendorServer, type Served } from "../support/vendors.ts";

const content = Buffer.from(Array.from({ length: 40_000 }, (_, index) => index % 251));
const quick = { tries: 3, pause: 1 };

describe("download", () => {
  let vendor: VendorServer;
  let folder: string;
  let path: string;
  let web: Web;
  beforeEach(async () => {
    vendor = await VendorServer.start();
    folder = await mkdtemp(join(tmpdir(), "hearth-download-"));
    path = join(folder, "part");
    web = new Web({}, { headers: 200, body: 200 });
  });
  afterEach(async () => {
    await web.close();
    await vendor[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const get = (how: Omit<Served, "content"> = {}, digest = sha256(content)): Promise<void> =>
    download(web, { url: vendor.serve("/file", content, how), digest }, path, quick);
  const ranges = (): (string | undefined)[] => vendor.requests.map(({ headers }) => headers.range);
  const isWhole = async (): Promise<void> => {
    expect(sha256(await readFile(path))).to.equal(sha256(content));
  };

  it("gets a file whole", async () => {
    await get();
    await isWhole();
  });

  it("says how many bytes are there", async () => {
    let bytes = 0;
    const source = { url: vendor.serve("/file", content), digest: sha256(content) };
    await download(web, source, path, { onBytes: (count) => (bytes = count) });
    expect(bytes).to.equal(content.length);
  });

  it("goes on after a cut where it was, as often as it takes", async () => {
    await get({ cuts: 5 });
    await isWhole();
    const [first, ...later] = ranges().map((range) => Number(/^bytes=(\d+)-$/.exec(range ?? "bytes=0-")?.[1]));
    expect(first).to.equal(0);
    // How much of what was sent before a cut arrives is the network's affair.
    expect(later).to.have.length.of.at.least(5);
    expect(later).to.deep.equal([...later].sort((a, b) => a - b));
    expect(later[0]).to.be.above(0);
  });

  it("goes on with what an earlier process left", async () => {
    await writeFile(path, content.subarray(0, 12_345));
    await get();
    await isWhole();
    expect(ranges()).to.deep.equal(["bytes=12345-"]);
  });

  it("asks for nothing more than the end where everything was there", async () => {
    await writeFile(path, content);
    await get();
    await isWhole();
    expect(ranges()).to.deep.equal(["bytes=40000-"]);
  });

  it("begins again where the server gives no ranges", async () => {
    await get({ cuts: 1, ranges: false });
    await isWhole();
  });

  it("begins again where what was left is of another file", async () => {
    await writeFile(path, "something else");
    await get();
    await isWhole();
  });

  it("begins again where what was left is longer than the file", async () => {
    await writeFile(path, Buffer.alloc(50_000));
    await get();
    await isWhole();
  });

  it("tries again after an error of the server", async () => {
    await get({ statuses: [503, 500] });
    await isWhole();
  });

  it("follows a redirect", async () => {
    const url = vendor.serve("/moved", "", { redirect: vendor.serve("/file", content) });
    await download(web, { url, digest: sha256(content) }, path, quick);
    await isWhole();
  });

  it("stops where the digest differs, and names the file, what was expected and what was found", async () => {
    const problem = await failureOf(get({}, "a".repeat(64)));
    expect(problem).to.be.instanceOf(Problem);
    expect(problem.message).to.include(`${vendor.url}/file`);
    expect(problem.message).to.include(`expected  sha256:${"a".repeat(64)}`);
    expect(problem.message).to.include(`found     sha256:${sha256(content)}`);
    expect(await access(path).catch(() => "gone")).to.equal("gone");
  });

  const unavailable: [string, () => Omit<Served, "content">, string][] = [
    ["is not there", () => ({ statuses: [404] }), "HTTP 404"],
    ["is refused", () => ({ statuses: [403] }), "HTTP 403"],
    ["only gives errors", () => ({ statuses: [500, 500, 500] }), "HTTP 500"],
    ["is never answered", () => ({ silent: true }), "no answer in time"],
  ];
  for (const [name, how, reason] of unavailable) {
    it(`says that the vendor does not give a file that ${name}`, async () => {
      const failure = await failureOf(get(how()));
      expect(failure).to.be.instanceOf(Unavailable);
      expect(failure.message).to.equal(reason);
    });
  }

  it("says that the vendor does not give a file where nobody listens", async () => {
    const source = { url: "http://127.0.0.1:9/file", digest: sha256(content) };
    const failure = await failureOf(download(web, source, path, quick));
    expect(failure).to.be.instanceOf(Unavailable);
    expect(failure.message).to.equal("ECONNREFUSED");
  });

  it("tries once only where the disk is full", async () => {
    await symlink("/dev/full", path);
    const failure = await failureOf(get());
    expect(failure).to.have.property("code", "ENOSPC");
    expect(vendor.requests).to.have.length(1);
  });

  describe("through a proxy", () => {
    let proxy: ForwardProxy;
    beforeEach(async () => {
      proxy = await ForwardProxy.start();
    });
    afterEach(() => proxy[Symbol.asyncDispose]());
    const through = async (env: NodeJS.ProcessEnv): Promise<number> => {
      const proxied = new Web(env);
      const source = { url: vendor.serve("/file", content), digest: sha256(content) };
      await download(proxied, source, path, quick);
      await proxied.close();
      return proxy.passed;
    };

    it("goes where HTTP_PROXY says", async () => {
      expect(await through({ HTTP_PROXY: proxy.url })).to.equal(1);
    });

    it("goes around it where NO_PROXY says", async () => {
      expect(await through({ http_proxy: proxy.url, no_proxy: "127.0.0.1" })).to.equal(0);
    });

    it("goes around it for another protocol", async () => {
      expect(await through({ HTTPS_PROXY: proxy.url })).to.equal(0);
    });
  });
});
