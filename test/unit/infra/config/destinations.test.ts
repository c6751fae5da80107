import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";

import { concernsOf, destinations, harmless, matches } from "../../../../infra/config/destinations.ts";
import { bareDocument } from "../../../../infra/config/schema.ts";
import type { JsonSchema } from "../../../../infra/config/json-schema.ts";

const root = join(import.meta.dirname, "..", "..", "..", "..");
const dev = readFileSync(join(root, "Pulumi.dev.yaml"), "utf8");

/** The concerns about dev's stack file in which a text is put in place of another. */
const concerns = (from: string, to: string): string[] => {
  if (!dev.includes(from)) throw new Error(`The stack file has no ${from}`);
  return concernsOf(dev, dev.replace(from, to)).map(({ path, reason }) => `${path}: ${reason}`);
};

describe("where a stack file sends credentials", () => {
  it("is said or denied of every setting that there is, once", () => {
    const paths = pathsOf(bareDocument(), []);
    expect(paths.length).to.be.greaterThan(100);
    const unclear = paths.filter((path) => {
      const found = [...Object.keys(destinations), ...harmless].filter((pattern) => matches(pattern, path));
      return found.length !== 1;
    });
    expect(unclear.map((path) => path.join("."))).to.deep.equal([]);
  });

  it("does not depend on releases, sizes, labels and further disks", () => {
    expect(concerns("kubernetes: v1.36.4", "kubernetes: v1.36.5")).to.deep.equal([]);
    expect(concerns("cores: 2, memory: 4096", "cores: 4, memory: 8192")).to.deep.equal([]);
    expect(concerns('hearth.dev/storage: "true"', 'hearth.dev/storage: "false"')).to.deep.equal([]);
    expect(
      concerns("{ size: 100, serial: ceph }", "{ size: 100, serial: ceph }, { size: 9, serial: b }"),
    ).to.deep.equal([]);
  });

  it("does not depend on comments and quotes", () => {
    expect(concerns("bridge: vmbr0", 'bridge: "vmbr0" # the only one')).to.deep.equal([]);
  });

  const changes: [what: string, from: string, to: string, concern: string][] = [
    [
      "Proxmox",
      "https://10.20.0.5:8006",
      "https://evil.example:8006",
      "hearth:proxmox.endpoint: the Proxmox token is sent there",
    ],
    [
      "a certificate that nobody checks",
      "    bridge: vmbr0",
      "    bridge: vmbr0\n    insecure: true",
      "hearth:proxmox.insecure: the Proxmox token is sent to whoever answers",
    ],
    [
      "an authority that passes for Proxmox",
      "    bridge: vmbr0",
      "    bridge: vmbr0\n    ca: evil",
      "hearth:proxmox.ca: the Proxmox token is sent to whoever has a certificate of it",
    ],
    [
      "a certificate that passes for Proxmox's",
      "    bridge: vmbr0",
      "    bridge: vmbr0\n    fingerprint: 00:00",
      "hearth:proxmox.fingerprint: the Proxmox token is sent to whoever has this certificate",
    ],
    [
      "the repository",
      "ssh://git@github.com/you/hearth.git",
      "ssh://git@github.com/evil/hearth.git",
      "hearth:gitops.repository: the deploy key or the token is used there, and the cluster runs what it holds",
    ],
    [
      "a machine",
      "address: 10.20.0.22",
      "address: 192.0.2.1",
      "hearth:nodes.den-dev-wk02.address: the machine's configuration with its keys is sent there",
    ],
    [
      "the cluster",
      "endpoint: https://10.20.0.10:6443",
      "endpoint: https://evil.example:6443",
      "hearth:cluster.endpoint: the administrator's kubeconfig is used there",
    ],
    [
      "an Image Factory",
      "  hearth:images:",
      "  hearth:imageFactory: https://evil.example\n  hearth:images:",
      "hearth:imageFactory: machines boot what it serves, and then hold all their keys",
    ],
    [
      "a provider's own setting",
      "config:",
      "config:\n  cloudflare:baseUrl: https://evil.example",
      "cloudflare:baseUrl: is read by the engine itself",
    ],
    [
      "the legacy spelling of a setting",
      "  hearth:proxmox:",
      "  hearth:config:proxmox: { endpoint: https://evil.example }\n  hearth:proxmox:",
      "hearth:config:proxmox.endpoint: nobody said that no credential's way depends on it",
    ],
    [
      "a setting without its project",
      "  hearth:proxmox:",
      "  proxmox: { endpoint: https://evil.example }\n  hearth:proxmox:",
      "proxmox.endpoint: is read by the engine itself",
    ],
    [
      "the secrets provider",
      "config:",
      "secretsprovider: awskms://alias/x?awssdk=v2&endpoint=evil.example\nconfig:",
      "secretsprovider: is read by the engine itself",
    ],
    [
      "an environment of Pulumi Cloud",
      "config:",
      "environment: [evil]\nconfig:",
      "environment: is read by the engine itself",
    ],
    [
      "a secret under another key",
      "    bridge: vmbr0",
      "    bridge: { secure: v1:abc }",
      "hearth:proxmox.bridge.secure: is an encrypted value",
    ],
    [
      "a secret that looks like a label",
      'labels: { hearth.dev/storage: "true" }',
      "labels: { secure: v1:abc }",
      "hearth:nodes.den-dev-wk01.labels.secure: is an encrypted value",
    ],
    [
      "a setting that nobody knows yet",
      "    bridge: vmbr0",
      "    bridge: vmbr0\n    relay: evil.example",
      "hearth:proxmox.relay: nobody said that no credential's way depends on it",
    ],
  ];
  for (const [what, from, to, concern] of changes) {
    it(`depends on ${what}`, () => {
      expect(concerns(from, to)).to.include(concern);
    });
  }

  it("depends on a setting that goes, too", () => {
    const file = "config:\n  hearth:cluster: { vip: 10.20.0.10 }\n";
    expect(concernsOf(file, "config: { hearth:cluster: {} }\n").map(({ path }) => path)).to.include(
      "hearth:cluster.vip",
    );
  });

  for (const [what, text] of [
    ["an anchor", "a: &x 1\n"],
    ["a merge, which the engine's library does", "a: { <<: { b: 1 } }\n"],
    ["a tag", "a: !!str 1\n"],
    ["a second document", "a: 1\n---\nb: 2\n"],
    ["a directive", "%YAML 1.1\n---\na: 1\n"],
    ["the same key twice", "a: 1\na: 2\n"],
    ["no document", ""],
    ["what is a line break in YAML 1.1 alone", "config: {} # fine\u0085b: 2\n"],
    ["a line separator", "config: {} # fine\u2028b: 2\n"],
    ["a paragraph separator", "config: {} # fine\u2029b: 2\n"],
    ["a carriage return", "config: {} # fine\rb: 2\n"],
    ["a byte order mark", "\ufeffconfig: {}\n"],
  ]) {
    it(`is not looked for in a file with ${what ?? ""}: that has to be read`, () => {
      expect(concernsOf("config: {}\n", text).map(({ path }) => path)).to.deep.equal([""]);
    });
  }

  it("is a concern with a stack that is new or goes", () => {
    expect(concernsOf(undefined, dev)).to.have.length(1);
    expect(concernsOf(dev, undefined)).to.have.length(1);
    expect(concernsOf(dev, dev)).to.deep.equal([]);
  });
});

/** The paths of all settings of a schema; a star stands for a name. */
const pathsOf = (schema: JsonSchema, path: string[]): string[][] => {
  const variants = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  const properties = Object.entries(schema.properties ?? {});
  const further = schema.additionalProperties;
  const below = [
    ...variants.flatMap((variant) => pathsOf(variant, path)),
    ...properties.flatMap(([key, value]) => pathsOf(value, [...path, key])),
    ...(typeof further === "object" ? pathsOf(further, [...path, "*"]) : []),
    ...(typeof schema.items === "object" ? pathsOf(schema.items, path) : []),
  ];
  return below.length > 0 ? below : [path];
};
