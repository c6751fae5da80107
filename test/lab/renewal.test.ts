import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect } from "chai";

import { scratch, type Scratch } from "../support/scratch.ts";

const program = `
import * as talos from "@pulumi/talos";
const provider = new talos.Provider("talos");
const secrets = new talos.machine.Secrets("secrets", { talosVersion: "v1.13" },
  { provider, protect: true, ignoreChanges: ["talosVersion"] });
export const certificate = secrets.clientConfiguration.clientCertificate;
export const authority = secrets.machineSecrets.certs.os.cert;
export const bootstrapToken = secrets.machineSecrets.secrets.bootstrapToken;
`;

interface Outputs {
  certificate: string;
  authority: string;
  bootstrapToken: string;
}

interface Deployment {
  deployment: { resources: { type: string; outputs?: { clientConfiguration?: { plaintext: string } } }[] };
}

const day = 24 * 60 * 60 * 1000;

describe("the Talos client certificate", () => {
  let project: Scratch;
  let first: Outputs;

  const outputs = async () =>
    JSON.parse(await project.pulumi("stack", "output", "--json", "--show-secrets")) as Outputs;

  const pem = (base64: string): X509Certificate => new X509Certificate(Buffer.from(base64, "base64"));

  /** Puts a certificate into the state that ends after some days. */
  const age = async (days: number): Promise<void> => {
    const [key, certificate] = ["key.pem", "certificate.pem"].map((file) => join(project.folder, file));
    await promisify(execFile)("openssl", [
      ...["req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/O=os:admin", "-days", String(days)],
      ...["-keyout", key ?? "", "-out", certificate ?? ""],
    ]);
    const state = JSON.parse(await project.pulumi("stack", "export", "--show-secrets")) as Deployment;
    const [secrets] = state.deployment.resources.filter(({ type }) => type === "talos:machine/secrets:Secrets");
    const configuration = secrets?.outputs?.clientConfiguration;
    if (!configuration) throw new Error("the state has no client configuration");
    configuration.plaintext = JSON.stringify({
      ...(JSON.parse(configuration.plaintext) as object),
      clientCertificate: (await readFile(certificate ?? "")).toString("base64"),
    });
    await project.write("state.json", JSON.stringify(state));
    await project.pulumi("stack", "import", "--file", "state.json");
  };

  before(async () => {
    project = await scratch("pulumi-resource-talos", program);
    await project.pulumi("up", "--yes", "--skip-preview");
    first = await outputs();
  });

  after(() => project.remove());

  it("lasts a year", () => {
    const { validFrom, validTo } = pem(first.certificate);
    expect((Date.parse(validTo) - Date.parse(validFrom)) / day).to.be.within(364, 366);
  });

  it("is left alone while it has more than a month", async () => {
    await age(60);
    await project.pulumi("preview", "--expect-no-changes");
  });

  it("is renewed by an update in its last month, with the root secrets as they were", async () => {
    await age(20);
    await project.pulumi("up", "--yes", "--skip-preview");
    const renewed = await outputs();
    expect(Date.parse(pem(renewed.certificate).validTo) - Date.now()).to.be.greaterThan(360 * day);
    expect(pem(renewed.certificate).verify(pem(first.authority).publicKey)).to.equal(true);
    expect({ ...renewed, certificate: "" }).to.deep.equal({ ...first, certificate: "" });
  });

  it("shows in no output that is not secret", async () => {
    const shown = await project.pulumi("stack", "output", "--json");
    expect(Object.values(JSON.parse(shown) as object)).to.deep.equal(["[secret]", "[secret]", "[secret]"]);
  });
});
