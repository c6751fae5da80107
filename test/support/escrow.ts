import { ageIdentity } from "../../components/secrets/age.ts";
import { deriveSeed } from "../../components/secrets/derive.ts";
import { signingKeys } from "../../components/secrets/signing.ts";
import { sshKeyPair } from "../../components/secrets/ssh.ts";
import type { Escrow } from "../../lib/secrets/escrow.ts";

const certificate = { crt: "Q0VSVA==", key: "S0VZ" };
const bytes = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, "base64"));

/** Passwords like those that the random plugin draws. */
export const passwords = {
  "age-seed": "a".repeat(64),
  "deploy-key-seed": "d".repeat(64),
  "webhook-token": "w".repeat(64),
  "signing-seed": "s".repeat(64),
  "disk-recovery-seed": "r".repeat(64),
  "tunnel-secret": "t".repeat(64),
};

const ageSeed = deriveSeed(passwords["age-seed"], "age-seed");

/** A valid escrow with the given changes. */
export const anEscrow = (changes: Partial<Escrow> = {}): Escrow => ({
  stack: "dev",
  cluster: "den-dev",
  createdAt: "2026-11-21T12:00:00.000Z",
  contract: "v1.13",
  talosSecrets: {
    cluster: { id: "id", secret: "cluster-secret" },
    secrets: { bootstraptoken: "bootstrap-token", secretboxencryptionsecret: "0e1" },
    trustdinfo: { token: "trustd-token" },
    certs: {
      etcd: certificate,
      k8s: certificate,
      k8saggregator: certificate,
      k8sserviceaccount: { key: "S0VZ" },
      os: certificate,
    },
  },
  ageSeed,
  ageIdentity: ageIdentity(bytes(ageSeed)),
  deployKey: sshKeyPair(bytes(deriveSeed(passwords["deploy-key-seed"], "deploy-key-seed")), "hearth-den-dev")
    .privateKey,
  webhookToken: deriveSeed(passwords["webhook-token"], "webhook-token"),
  signingKey: signingKeys(deriveSeed(passwords["signing-seed"], "signing-seed")).stack.privateKey,
  diskRecoveryKey: deriveSeed(passwords["disk-recovery-seed"], "disk-recovery-seed"),
  passwords,
  tunnels: { "den-dev": { account: "account", id: "tunnel-id", secret: "tunnel-secret", token: "token" } },
  configured: { cloudflareToken: "cloudflare-token" },
  stackFile: "config:\n  hearth:cluster: { name: den-dev }\n# a remark\nencryptionsalt: v1:abc\n",
  passphrase: "correct horse",
  ...changes,
});
