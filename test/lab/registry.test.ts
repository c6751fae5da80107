import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect } from "chai";
import { parse } from "yaml";
import { labData } from "../support/lab-programs.ts";
import { type LabFolder, type LabProcess, accepts, eventually, labFolder, startLab } from "../support/lab-process.ts";

interface Manifest {
  config: { mediaType: string; digest: string };
  layers: { mediaType: string; digest: string; size: number }[];
}

const address = "127.93.5.1";
const port = 8443;

describe("the lab's registry", () => {
  let folder: LabFolder;
  let lab: LabProcess;

  const start = async (): Promise<void> => {
    lab = await startLab("registry", folder.config);
    await eventually("the registry listens", () => accepts(`${address}:${port}`));
  };

  before(async () => {
    folder = await labFolder({
      internet: { proxy: `${address}:8128`, registry: `${address}:${port}`, registries: ["quay.io", "ghcr.io"] },
      data: await labData(),
    });
    await start();
  });

  after(async () => {
    await lab.stop();
    await folder.remove();
  });

  /** Asks the registry under one of its public names, trusting the lab's authority only. */
  const ask = async (
    host: string,
    path: string,
    method = "GET",
  ): Promise<{ status: number; type: string; body: Buffer }> => {
    const asked = request({
      host: address,
      port,
      servername: host === address ? "" : host,
      headers: { host },
      path,
      method,
      agent: false,
      ca: await readFile(join(folder.dir, "ca", "ca.crt")),
    });
    asked.end();
    const [response] = (await once(asked, "response")) as [
      NodeJS.ReadableStream & { statusCode: number; headers: Record<string, string> },
    ];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(Buffer.from(chunk));
    return { status: response.statusCode, type: response.headers["content-type"] ?? "", body: Buffer.concat(chunks) };
  };
  const manifest = async (host: string, repository: string, tag: string): Promise<Manifest> =>
    JSON.parse((await ask(host, `/v2/${repository}/manifests/${tag}`)).body.toString()) as Manifest;

  /** The files of a chart by path, out of the archive that its only layer is. */
  const chart = async (host: string, repository: string, tag: string): Promise<Map<string, string>> => {
    const { layers } = await manifest(host, repository, tag);
    const { body } = await ask(host, `/v2/${repository}/blobs/${layers[0]?.digest ?? ""}`);
    expect(`sha256:${createHash("sha256").update(body).digest("hex")}`).to.equal(layers[0]?.digest);
    return untar(gunzipSync(body));
  };

  it("has Cilium's chart as a Helm artifact at quay.io", async () => {
    const { config, layers } = await manifest("quay.io", "cilium/charts/cilium", "1.20.2");
    expect(config.mediaType).to.equal("application/vnd.cncf.helm.config.v1+json");
    expect(layers.map(({ mediaType }) => mediaType)).to.deep.equal([
      "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
    ]);
    const { body } = await ask("quay.io", `/v2/cilium/charts/cilium/blobs/${config.digest}`);
    expect(JSON.parse(body.toString())).to.include({ name: "cilium", version: "1.20.2" });
  });

  it("packs Cilium's chart whole, without what its .helmignore names", async () => {
    const files = await chart("quay.io", "cilium/charts/cilium", "1.20.2");
    expect([...files.keys()][0]).to.equal("cilium/Chart.yaml");
    expect([...files.keys()]).to.include.members([
      "cilium/values.yaml",
      "cilium/templates/cilium-agent/daemonset.yaml",
    ]);
    expect([...files.keys()]).to.not.include("cilium/values.yaml.tmpl");
    const source = (await labData()).cilium ?? "";
    expect(files.get("cilium/values.yaml")).to.equal(await readFile(join(source, "values.yaml"), "utf8"));
  });

  it("has a chart of flux-operator at ghcr.io, made of its install manifests", async () => {
    const files = await chart("ghcr.io", "controlplaneio-fluxcd/charts/flux-operator", "0.58.1");
    expect(parse(files.get("flux-operator/Chart.yaml") ?? "")).to.include({ version: "0.58.1", appVersion: "v0.58.1" });
    expect(parse(files.get("flux-operator/values.yaml") ?? "")).to.deep.include({
      installCRDs: true,
      web: { enabled: true },
      tolerations: [],
    });
    expect([...files.keys()].filter((name) => name.includes("/crds/"))).to.have.length(4);
    expect(files.get("flux-operator/templates/deployment.yaml")).to.include("toYaml .Values.resources");
  });

  it("keeps each public name's charts to that name", async () => {
    expect((await ask("ghcr.io", "/v2/cilium/charts/cilium/manifests/1.20.2")).status).to.equal(404);
    expect((await ask(address, "/v2/cilium/charts/cilium/manifests/1.20.2")).status).to.equal(200);
  });

  it("answers 404 for a version that it does not have", async () => {
    const { status, body } = await ask("quay.io", "/v2/cilium/charts/cilium/manifests/1.20.1");
    expect(status).to.equal(404);
    expect(body.toString()).to.include("MANIFEST_UNKNOWN");
  });

  it("takes nothing from anybody", async () => {
    expect((await ask("quay.io", "/v2/cilium/charts/cilium/blobs/uploads/", "POST")).status).to.equal(401);
    expect((await ask("quay.io", "/v2/cilium/charts/cilium/manifests/1.20.2", "DELETE")).status).to.equal(401);
  });

  it("has the same digests after it was killed", async () => {
    const before = await manifest("quay.io", "cilium/charts/cilium", "1.20.2");
    lab.process.kill("SIGKILL");
    await lab.ended;
    await start();
    expect(await manifest("quay.io", "cilium/charts/cilium", "1.20.2")).to.deep.equal(before);
  });

  it("says which address it could not have", async () => {
    const second = await startLab("registry", folder.config);
    expect(await second.ended).to.equal(1);
    expect(second.output()).to.include(`${address}:${port}`).and.include("address already in use");
  });

  it("refuses a configuration under whose names a chart is not published", async () => {
    const config = JSON.parse(await readFile(folder.config, "utf8")) as { internet: { registries: string[] } };
    config.internet.registries = ["quay.io"];
    const path = join(folder.dir, "one-name.json");
    await writeFile(path, JSON.stringify(config));
    const other = await startLab("registry", path);
    expect(await other.ended).to.equal(1);
    expect(other.output()).to.include("internet.registries lacks ghcr.io");
  });
});

/** The regular files in a tar archive by path. */
const untar = (archive: Buffer): Map<string, string> => {
  const files = new Map<string, string>();
  for (let at = 0; at < archive.length;) {
    const field = (start: number, length: number): string =>
      archive.toString("utf8", at + start, at + start + length).replace(/\0.*$/s, "");
    const name = [field(345, 155), field(0, 100)].filter((part) => part !== "").join("/");
    if (name === "") break;
    const size = Number.parseInt(field(124, 12), 8);
    files.set(name, archive.toString("utf8", at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
};
