import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { treeObject, type AskedChart } from "../../../../infra/tree-objects.ts";
import { ChartArchives, type PulledChart } from "../../../../lib/tree/chart-archives.ts";
import type { Digests } from "../../../../lib/tree/digest-list.ts";
import { ToolCache } from "../../../../toolchain/cache.ts";
import { Web } from "../../../../toolchain/vendors/web.ts";
import { sha256, tarGz, VendorServer, type Served } from "../../../support/vendors.ts";

const archive = tarGz([{ path: "web/Chart.yaml", content: "apiVersion: v2\nname: web\nversion: 1.2.0\n" }]);
const other = tarGz([{ path: "web/Chart.yaml", content: "apiVersion: v2\nname: web\nversion: 1.2.0 # again\n" }]);
const digest = `sha256:${sha256(archive)}`;

describe("ChartArchives", () => {
  let vendor: VendorServer;
  let folder: string;
  let web: Web;
  beforeEach(async () => {
    vendor = await VendorServer.start();
    folder = await mkdtemp(join(tmpdir(), "hearth-charts-"));
    web = new Web({}, { headers: 200, body: 200 });
  });
  afterEach(async () => {
    await web.close();
    await vendor[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const asked = (kind: string, spec: object, version = "1.2.0"): AskedChart => ({
    ...{ kind, version, name: "web" },
    source: treeObject({ apiVersion: "source.toolkit.fluxcd.io/v1", kind, metadata: { name: "web" }, spec }),
  });
  const inRepository = (version?: string): AskedChart =>
    asked("HelmRepository", { url: `${vendor.url}/charts/` }, version);
  const inRegistry = (): AskedChart =>
    asked("OCIRepository", { url: `oci://${vendor.host}/charts/web`, insecure: true, ref: { tag: "1.2.0" } });

  const serveRepository = (content = archive, how: Omit<Served, "content"> = {}, named = sha256(archive)): void => {
    vendor.serve(
      "/charts/index.yaml",
      `apiVersion: v1\nentries:\n  web:\n    - { version: 1.1.0, urls: [old.tgz], digest: "${"0".repeat(64)}" }\n` +
        `    - { version: v1.2.0, urls: [web-1.2.0.tgz], digest: "${named}" }\n`,
    );
    vendor.serve("/charts/web-1.2.0.tgz", content, how);
  };

  /** What becomes of charts that are asked for one after the other. */
  const pull = async (charts: AskedChart[], digests: Digests = {}): Promise<PulledChart[]> => {
    const archives = new ChartArchives(digests, web, new ToolCache(folder), { tries: 3, pause: 1 });
    for (const chart of charts) await archives.find(chart);
    return archives.pulled();
  };
  const only = async (chart: AskedChart, digests?: Digests): Promise<PulledChart> => {
    const [pulled, ...others] = await pull([chart], digests);
    expect(others).to.deep.equal([]);
    return pulled ?? { key: "none" };
  };
  const isWhole = async ({ path = "" }: PulledChart): Promise<void> => {
    expect(sha256(await readFile(path))).to.equal(sha256(archive));
  };

  it("pulls from a Helm repository what its index names, whose URL may be relative and whose version may begin with v", async () => {
    serveRepository();
    const pulled = await only(inRepository());
    expect(pulled).to.include({ key: `${vendor.url}/charts/web:1.2.0`, digest });
    await isWhole(pulled);
  });

  it("pulls from a registry, with the token that it demands, past what else the image has", async () => {
    vendor.serveChart("charts/web", "1.2.0", archive);
    const pulled = await only(inRegistry());
    expect(pulled).to.include({ key: `oci://${vendor.host}/charts/web:1.2.0`, digest });
    await isWhole(pulled);
  });

  it("takes a Helm repository of a registry by the chart's name", async () => {
    vendor.serveChart("charts/web", "1.2.0", archive);
    await isWhole(
      await only(asked("HelmRepository", { type: "oci", url: `oci://${vendor.host}/charts`, insecure: true })),
    );
  });

  it("asks nobody for a chart whose recorded digest is in the cache", async () => {
    serveRepository();
    const [first] = await pull([inRepository()]);
    const before = vendor.requests.length;
    await isWhole(await only(inRepository(), { [first?.key ?? ""]: digest }));
    expect(vendor.requests).to.have.length(before);
  });

  it("asks once for a chart of several releases", async () => {
    serveRepository();
    expect(await pull([inRepository(), inRepository()])).to.have.length(1);
    expect(vendor.requests).to.have.length(2);
  });

  it("pulls again what has changed in the cache", async () => {
    serveRepository();
    const { path = "", key } = await only(inRepository());
    await writeFile(path, "something else");
    await isWhole(await only(inRepository(), { [key]: digest }));
  });

  it("resumes a download that is cut off", async () => {
    serveRepository(archive, { cuts: 2 });
    await isWhole(await only(inRepository()));
    expect(vendor.requests.filter(({ headers }) => headers.range !== undefined)).to.have.length(2);
  });

  it("gives up a download that is cut off again and again without getting further, and keeps no part of it", async () => {
    serveRepository(archive, { statuses: [500, 500, 500, 500] });
    expect(await only(inRepository())).to.deep.include({ reason: "HTTP 500" });
    expect(await readdir(join(folder, "work"))).to.deep.equal([]);
  });

  it("refuses an archive that is not the one of the index", async () => {
    serveRepository(other);
    const pulled = await only(inRepository());
    expect(pulled).to.include({ hasMoved: true }).and.not.to.have.property("path");
    expect(pulled.reason).to.contain(sha256(other)).and.to.contain(sha256(archive));
    expect(await readdir(join(folder, "charts")).catch(() => [])).to.deep.equal([]);
  });

  for (const [where, chart, serve] of [
    [
      "Helm repository",
      () => inRepository(),
      () => {
        serveRepository(other, {}, sha256(other));
      },
    ],
    [
      "registry",
      () => inRegistry(),
      () => {
        vendor.serveChart("charts/web", "1.2.0", other);
      },
    ],
  ] as const) {
    it(`refuses what was pushed to a ${where} again under the same version`, async () => {
      serve();
      const { key } = await only(chart());
      const pulled = await only(chart(), { [key]: digest });
      expect(pulled).to.include({ hasMoved: true }).and.not.to.have.property("path");
      expect(pulled.reason).to.equal(`its repository has sha256:${sha256(other)}, and ${digest} is recorded`);
    });
  }

  it("says why a chart cannot be had", async () => {
    const reasonFor = async (chart: AskedChart): Promise<string | undefined> => (await only(chart)).reason;
    expect(await reasonFor(inRepository())).to.equal("HTTP 404");
    expect(await reasonFor(inRegistry())).to.equal("HTTP 404");
    serveRepository();
    expect(await reasonFor(inRepository("1.3.0"))).to.equal("its repository has no web 1.3.0");
    expect(await reasonFor(inRepository("1.x"))).to.match(/^its version is "1.x", which is no single release/);
    expect(await reasonFor(asked("Bucket", { url: "x" }))).to.equal("it comes from a Bucket");
    expect(await reasonFor({ ...inRepository(), source: undefined })).to.equal("the tree has no HelmRepository for it");
    vendor.serve("/charts/index.yaml", "", { silent: true });
    expect(await reasonFor(inRepository())).to.equal("no answer in time");
    vendor.serve("/charts/index.yaml", "entries: {web: [{version: 1.2.0, urls: [a]}]}");
    expect(await reasonFor(inRepository())).to.equal("its repository's index has no digest of it");
  });
});
