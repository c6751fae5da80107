import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { examineStackFile, parseStackFile } from "../../../../infra/config/stack-file.ts";
import { trusting } from "../../../../infra/authorities.ts";
import { fingerprintsIn } from "../../../../infra/platforms/proxmox/certificates.ts";
import { untrustedProxmox } from "../../../../infra/proxmox-trust.ts";
import { deriveStack, type StackConfig } from "../../../../lab/derive.ts";
import { authority } from "../../../support/certificates.ts";
import { readFileSync } from "node:fs";
import { parse, stringify } from "yaml";

const root = new URL("../../../../", import.meta.url).pathname;

/** The dev stack with more settings under hearth:proxmox. */
const devWith = (settings: object): { config: StackConfig } => {
  const file = parse(readFileSync(join(root, "Pulumi.dev.yaml"), "utf8")) as { config: StackConfig };
  Object.assign(file.config["hearth:proxmox"] ?? {}, settings);
  return file;
};

describe("whom a stack file trusts as Proxmox", () => {
  const own = authority();
  const leaf = own.sign();

  const examined = (settings: object) => examineStackFile(parseStackFile(stringify(devWith(settings))));

  const said = (settings: object): string[] =>
    examined(settings).problems.map(({ path, problem }) => `${path.join(".")} ${problem}`);

  it("is an authority, or a fingerprint in either case", () => {
    expect(said({ ca: own.certificate })).to.deep.equal([]);
    expect(said({ ca: `# Ours\n${own.certificate}${authority().certificate}` })).to.deep.equal([]);
    const { config } = examined({ fingerprint: leaf.fingerprint.toLowerCase() });
    expect(config?.proxmox?.fingerprint).to.equal(leaf.fingerprint);
  });

  it("is one of them only", () => {
    expect(said({ ca: own.certificate, fingerprint: leaf.fingerprint, insecure: true })).to.deep.equal([
      "proxmox.fingerprint says whom to trust, and proxmox.ca does as well",
      "proxmox.insecure says whom to trust, and proxmox.ca does as well",
    ]);
  });

  it("is not a text that is none, a certificate that signs none, or one whose time has passed", () => {
    expect(said({ ca: own.certificate.replace(/[A-Za-z]{8}/g, "!") })).to.match(/proxmox.ca .*is not a certificate/);
    expect(said({ ca: leaf.certificate })).to.deep.equal([
      "proxmox.ca CN=pve1.example.com is a certificate that signs no others",
    ]);
    const expired = said({ ca: authority(-1).certificate });
    expect(expired).to.have.length(1);
    expect(expired[0]).to.match(/^proxmox.ca O=PVE Cluster Manager CA expired on .* 20\d\d GMT$/);
    expect(said({ fingerprint: "AA:BB" })).to.match(/proxmox.fingerprint .*is not the SHA-256 of a certificate/);
  });

  it("is nobody of these in a lab, which has an authority of its own", () => {
    const facts = { stack: "dev", knownHosts: "", recipient: "age1" };
    const { config } = devWith({ fingerprint: leaf.fingerprint, ca: own.certificate });
    expect(deriveStack(config, facts)["hearth:proxmox"]).not.to.have.any.keys("ca", "fingerprint");
  });
});

describe("pulumi by hand", () => {
  const own = authority();
  const leaf = own.sign();
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearth-trust-"));
  });

  afterEach(() => rm(folder, { recursive: true }));

  const write = async (name: string, text: string): Promise<string> => {
    const file = join(folder, name);
    await writeFile(file, text);
    return file;
  };

  it("knows the fingerprints of what its plugins trust", () => {
    expect(fingerprintsIn(`${own.certificate}\n# another\n${leaf.certificate}`)).to.deep.equal([
      own.fingerprint,
      leaf.fingerprint,
    ]);
  });

  for (const [key, settings] of [
    ["ca", { ca: own.certificate }],
    ["fingerprint", { fingerprint: leaf.fingerprint }],
  ] as const) {
    const certificate = key === "ca" ? own.certificate : leaf.certificate;

    it(`ends with the command where its plugins do not trust what proxmox.${key} says`, async () => {
      const other = await write("other.pem", authority().certificate);
      for (const environment of [{}, { SSL_CERT_FILE: other }, trusting(other, {})]) {
        const problem = await untrustedProxmox("dev", settings, environment, "linux");
        expect(problem).to.contain(`hearth:proxmox.${key}`).and.contain('eval "$(npx hearth trust dev)"');
      }
    });

    it(`goes on where they do, by a file or a folder, and on macOS, where nobody can tell: ${key}`, async () => {
      const file = await write("own.pem", certificate);
      for (const environment of [{ SSL_CERT_FILE: file }, trusting(file, {})])
        expect(await untrustedProxmox("dev", settings, environment, "linux")).to.equal(undefined);
      expect(await untrustedProxmox("dev", settings, {}, "darwin")).to.equal(undefined);
    });
  }

  it("trusts the folders of before, too", () => {
    const { SSL_CERT_DIR: once } = trusting("/a/x.pem", {});
    expect(once).to.equal("/etc/ssl/certs:/etc/pki/tls/certs:/a");
    expect(trusting("/a/x.pem", { SSL_CERT_DIR: once })).to.deep.equal({ SSL_CERT_DIR: once });
    expect(trusting("/a/x.pem", { SSL_CERT_DIR: "/corporate" })).to.deep.equal({ SSL_CERT_DIR: "/corporate:/a" });
  });
});
