import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect } from "chai";
import { stringify } from "yaml";

import { apiReady } from "../../../components/talos/api-ready.ts";

const host = "127.83.0.1";

describe("waiting for the Kubernetes API", () => {
  let pem: { key: string; cert: string };
  let server: Server | undefined;
  let asked: string[];
  let accepted: (string | undefined)[];

  before("a certificate", async () => {
    const folder = await mkdtemp(join(tmpdir(), "hearth-api-ready-"));
    const [key = "", cert = ""] = ["key.pem", "cert.pem"].map((file) => join(folder, file));
    await promisify(execFile)("openssl", [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"],
      ...["-subj", "/CN=api", "-addext", `subjectAltName=IP:${host}`, "-keyout", key, "-out", cert],
    ]);
    pem = { key: await readFile(key, "utf8"), cert: await readFile(cert, "utf8") };
    await rm(folder, { recursive: true });
  });

  afterEach(() => server?.close());

  /** Starts an API that answers with these codes in turn, and gives a kubeconfig for it. */
  const api = async (...codes: number[]): Promise<string> => {
    [asked, accepted] = [[], []];
    server = createServer({ ...pem, requestCert: true, ca: pem.cert }, (request, response) => {
      asked.push(request.url ?? "");
      accepted.push(request.headers.accept);
      response.writeHead(codes[asked.length - 1] ?? 200).end();
    });
    await new Promise<void>((resolve) => server?.listen(0, host, resolve));
    return kubeconfig((server.address() as AddressInfo).port);
  };

  const kubeconfig = (port: number): string => {
    const base64 = (text: string): string => Buffer.from(text).toString("base64");
    return stringify({
      clusters: [{ cluster: { server: `https://${host}:${port}`, "certificate-authority-data": base64(pem.cert) } }],
      users: [{ user: { "client-certificate-data": base64(pem.cert), "client-key-data": base64(pem.key) } }],
    });
  };

  it("ends when the API says that it is ready, and gives its schema as the plugin asks for it", async () => {
    await apiReady(await api(500, 200));
    expect(asked).to.deep.equal(["/readyz", "/readyz", "/openapi/v2"]);
    expect(accepted.at(-1)).to.equal("application/com.github.proto-openapi.spec.v2@v1.0+protobuf");
  });

  it("goes on while the API has no schema", async () => {
    await apiReady(await api(200, 503));
    expect(asked).to.deep.equal(["/readyz", "/openapi/v2", "/readyz", "/openapi/v2"]);
  });

  it("ends in time with the endpoint, what it said last and how to look", async () => {
    const failure = await apiReady(await api(503), 500).catch((error: unknown) => String(error));
    expect(failure).to.match(/https:\/\/127\.83\.0\.1:\d+ is not ready .*\(503\); .*talosctl dmesg/);
  });

  it("goes on while nobody answers", async () => {
    const failure = await apiReady(kubeconfig(1), 500).catch((error: unknown) => String(error));
    expect(failure).to.contain("ECONNREFUSED");
  });

  it("refuses a kubeconfig that names no cluster", async () => {
    const failure = await apiReady("clusters: []\nusers: []\n").catch((error: unknown) => String(error));
    expect(failure).to.contain("names no cluster and user");
  });
});
