import { expect } from "chai";

import { fingerprintOf } from "../../../components/secrets/fingerprint.ts";
import { connectorToken } from "../../../components/cloudflare/connector-token.ts";
import { fromBundle } from "../../../components/talos/secrets-bundle.ts";
import { escrowOf, type Sources } from "../../../operations/escrow/collect.ts";
import type { StateResource } from "../../../lib/engine/state.ts";
import { differences } from "../../../operations/escrow/differences.ts";
import { fingerprint } from "../../../lib/secrets/escrow.ts";
import { exchangeRecipients } from "../../../operations/escrow/recipients.ts";
import { filesOf, requireOverwritable } from "../../../operations/escrow/write.ts";
import { anEscrow, passwords } from "../../support/escrow.ts";
import { secretInState as secret } from "../../support/wire.ts";

const resource = (type: string, name: string, rest: Partial<StateResource> = {}): StateResource => ({
  urn: `urn:pulumi:dev::hearth::${type}::${name}`,
  type,
  ...rest,
});

const like = anEscrow();

const machineSecrets = fromBundle(like.talosSecrets);

const state = (...leaveOut: string[]): Sources["state"] => ({
  version: 3,
  deployment: {
    resources: [
      resource("talos:machine/secrets:Secrets", "machine-secrets", {
        outputs: {
          talosVersion: "v1.13",
          machineSecrets: secret({ ...machineSecrets, trustdinfo: secret(machineSecrets.trustdinfo) }),
        },
      }),
      ...Object.entries(passwords).map(([name, password]) =>
        resource("random:index/randomPassword:RandomPassword", name, {
          id: "none",
          outputs: { result: secret(password) },
        }),
      ),
      resource("cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared", "den-dev", {
        id: "tunnel-id",
        inputs: { accountId: "account", tunnelSecret: secret("tunnel-secret") },
      }),
    ].filter(({ urn }) => !leaveOut.some((name) => urn.endsWith(name))),
  },
});

const sources = (changes: Partial<Sources> = {}): Sources => ({
  stack: "dev",
  cluster: "den-dev",
  state: state(),
  configured: { cloudflareToken: "cloudflare-token" },
  stackFile: like.stackFile,
  passphrase: "correct horse",
  now: new Date("2026-11-21T12:00:00Z"),
  ...changes,
});

describe("an escrow", () => {
  it("is made of a state, whose marks of secrets it takes off at every depth", () => {
    const token = connectorToken("account", "tunnel-id", "tunnel-secret");
    const tunnels = { "den-dev": { account: "account", id: "tunnel-id", secret: "tunnel-secret", token } };
    expect(escrowOf(sources())).to.deep.equal(anEscrow({ tunnels }));
  });

  it("holds the configured age seed where there is one", () => {
    const ageSeed = Buffer.alloc(32, 7).toString("base64");
    const { ageSeed: held, ageIdentity } = escrowOf(sources({ configured: { ageSeed }, state: state("age-seed") }));
    expect(held).to.equal(ageSeed);
    expect(ageIdentity).not.to.equal(like.ageIdentity);
  });

  it("is refused of a state that lacks a root secret", () => {
    expect(() => escrowOf(sources({ state: state("machine-secrets") }))).to.throw("holds no Talos machine secrets");
    expect(() => escrowOf(sources({ state: state("deploy-key-seed") }))).to.throw("holds no deploy-key-seed");
    expect(() => escrowOf(sources({ state: state("signing-seed") }))).to.throw(
      "holds no signing-seed: deploy the stack first",
    );
  });

  it("of a stack that no update gave a recovery key for disks has none", () => {
    const { diskRecoveryKey, passwords: held } = escrowOf(sources({ state: state("disk-recovery-seed") }));
    expect([diskRecoveryKey, held["disk-recovery-seed"]]).to.deep.equal([undefined, undefined]);
  });

  it("has the fingerprint that the program computes of what its plugins give", () => {
    expect(fingerprint(like)).to.equal(
      fingerprintOf({
        cluster: "den-dev",
        talos: { ...machineSecrets, secrets: { ...machineSecrets.secrets, aescbcEncryptionSecret: "" } },
        ageIdentity: like.ageIdentity,
        deployKey: like.deployKey,
        webhookToken: like.webhookToken,
        signingKey: like.signingKey,
        diskRecoveryKey: like.diskRecoveryKey,
        tunnels: { "den-dev": "token" },
        configured: { cloudflareToken: "cloudflare-token", gitToken: undefined },
      }),
    );
  });

  it("takes patches for the same, however their JSON is written", () => {
    const written = (machinePatches: string) => fingerprint(anEscrow({ configured: { machinePatches } }));
    expect(written('{"all": [{"a":1,"b":2}]}')).to.equal(written('{ "all":[{"b":2,"a":1}] }'));
    expect(written('{"all":[{"a":1}]}')).not.to.equal(written('{"all":[{"a":2}]}'));
  });

  it("names the parts in which it differs from another, and no value", () => {
    const other = anEscrow({
      createdAt: "2026-11-22T12:00:00.000Z",
      webhookToken: "other-token",
      configured: { cloudflareToken: "other", proxmoxToken: "new" },
    });
    expect(differences(like, other)).to.deep.equal([
      "webhookToken",
      "configured.cloudflareToken",
      "configured.proxmoxToken",
    ]);
    expect(differences(like, anEscrow({ createdAt: "2027-01-01T00:00:00.000Z" }))).to.deep.equal([]);
  });
});

describe("writing an escrow", () => {
  it("is refused over one that a newer release wrote", () => {
    expect(() => {
      requireOverwritable("version: 4\nstack: dev\n", "escrow/dev.sops.yaml");
    }).to.throw(
      "escrow/dev.sops.yaml is of format 4, and this Hearth reads up to format 3, so it is not written over: " +
        "use the Hearth that wrote it, or a later one",
    );
  });

  it("may go over none, over one of its own, and over a damaged one", () => {
    for (const before of [undefined, "version: 1\nstack: dev\n", "secrets: ["]) {
      expect(() => {
        requireOverwritable(before, "escrow/dev.sops.yaml");
      }).not.to.throw();
    }
  });
});

describe("the files to commit after an escrow was written", () => {
  const path = "escrow/dev.sops.yaml";

  it("are the escrow and its signature, and the stack file once it names the signers", () => {
    expect(filesOf({ path, namesSigners: false }, "dev")).to.deep.equal([path, `${path}.sig`]);
    expect(filesOf({ path, namesSigners: true }, "dev")).to.deep.equal(["Pulumi.dev.yaml", path, `${path}.sig`]);
  });
});

describe("exchanging recipients", () => {
  const text = [
    "# The development environment.",
    "config:",
    "  hearth:cluster: { name: den-dev } # kept",
    "  hearth:escrow:",
    "    recipients:",
    "      - age1one",
    "      - age1two",
    "",
  ].join("\n");

  it("adds and removes, and leaves all else as it is", () => {
    expect(exchangeRecipients(text, { add: ["age1three"], remove: ["age1one"] }, "Pulumi.dev.yaml")).to.equal(
      text.replace("      - age1one\n", "").replace("- age1two", "- age1two\n      - age1three"),
    );
  });

  it("adds nobody twice, and refuses to remove whom it does not name", () => {
    expect(exchangeRecipients(text, { add: ["age1two"], remove: [] }, "Pulumi.dev.yaml")).to.equal(text);
    expect(() => exchangeRecipients(text, { add: [], remove: ["age1four"] }, "Pulumi.dev.yaml")).to.throw(
      "Pulumi.dev.yaml does not name age1four: it names age1one, age1two",
    );
  });

  it("begins the list where there is none", () => {
    const changed = exchangeRecipients("config:\n  a: b\n", { add: ["age1one"], remove: [] }, "Pulumi.dev.yaml");
    expect(changed).to.match(/hearth:escrow:\n +recipients:\n +- age1one/);
  });
});
