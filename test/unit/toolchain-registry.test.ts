import { expect } from "chai";

import { parseReference, Registry } from "../../toolchain/vendors/registry.ts";
import { reasonOf, Web } from "../../toolchain/vendors/web.ts";
import { ForwardProxy, sha256, VendorServer, type Served } from "../support/vendors.ts";

const digest = `sha256:${"1".repeat(64)}`;

describe("the reference of an image", () => {
  for (const [reference, base, version] of [
    ["ghcr.io/org/web:1.2.0", "https://ghcr.io/v2/org/web", "1.2.0"],
    [`ghcr.io/org/web:1.2.0@${digest}`, "https://ghcr.io/v2/org/web", digest],
    [`ghcr.io/org/web@${digest}`, "https://ghcr.io/v2/org/web", digest],
    ["docker.io/org/web:1", "https://registry-1.docker.io/v2/org/web", "1"],
    ["docker.io/busybox:1", "https://registry-1.docker.io/v2/library/busybox", "1"],
    ["registry.example:5000/web:1", "https://registry.example:5000/v2/web", "1"],
    ["127.0.0.1:5000/web:1", "http://127.0.0.1:5000/v2/web", "1"],
    ["https://127.0.0.1:5000/web:1", "https://127.0.0.1:5000/v2/web", "1"],
  ] as const) {
    it(`says where ${reference} is`, () => {
      expect(parseReference(reference)).to.deep.equal({ base, version });
    });
  }

  it("is refused without a tag or a digest, and without a registry", () => {
    for (const reference of ["ghcr.io/org/web", "web:1", "ghcr.io/org/web@sha256:12"])
      expect(() => parseReference(reference), reference).to.throw("is not the reference of an image with a tag");
  });
});

describe("a registry that is asked for a digest", () => {
  let vendor: VendorServer;
  let web: Web;
  beforeEach(async () => {
    vendor = await VendorServer.start();
    web = new Web({}, { headers: 200, body: 200 });
  });
  afterEach(async () => {
    await web.close();
    await vendor[Symbol.asyncDispose]();
  });

  const ask = (how: Omit<Served, "content"> = {}): Promise<string> => {
    vendor.serveTag("org/web:1", "an index", how);
    return new Registry(web, `${vendor.host}/org/web:1`).digest().catch(reasonOf);
  };
  const methods = (): string[] =>
    vendor.requests.filter(({ path }) => path.includes("/manifests/")).map(({ method }) => method);

  it("says it to a client that gets itself the token, and counts no pull", async () => {
    expect(await ask()).to.equal(sha256("an index"));
    expect(methods()).to.deep.equal(["HEAD", "HEAD"]);
    expect(vendor.requests.at(-1)?.headers.accept).to.contain("application/vnd.oci.image.index.v1+json");
  });

  it("is asked for the content where it does not say", async () => {
    expect(await ask({ saysDigest: false })).to.equal(sha256("an index"));
    expect(methods()).to.deep.equal(["HEAD", "HEAD", "GET"]);
  });

  it("is believed nothing else", async () => {
    expect(await ask({ statuses: [429] })).to.equal("HTTP 429");
    expect(await ask({ dropped: true })).to.equal("UND_ERR_SOCKET");
    expect(await ask({ silent: true })).to.equal("no answer in time");
    expect(await ask({ token: "another" })).to.equal("HTTP 401");
    expect(await new Registry(web, `${vendor.host}/org/web:2`).digest().catch(reasonOf)).to.equal("HTTP 404");
  });

  it("may give no token", async () => {
    vendor.serveTag("org/web:1", "an index");
    vendor.serve("/token", "not for you", { statuses: [403] });
    expect(await new Registry(web, `${vendor.host}/org/web:1`).digest().catch(reasonOf)).to.equal(
      "HTTP 403 for a token",
    );
  });

  it("is reached by the proxy of the environment", async () => {
    await using proxy = await ForwardProxy.start();
    await web.close();
    web = new Web({ HTTP_PROXY: proxy.url });
    expect(await ask()).to.equal(sha256("an index"));
    expect(proxy.passed).to.be.greaterThan(0);
  });
});
