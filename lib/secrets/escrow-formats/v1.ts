import { z } from "zod";

import { headFields } from "../../../components/secrets/escrow-head.ts";
import { fingerprintOf, type RootSecretValues } from "../../../components/secrets/fingerprint.ts";
import { fromBundle } from "../../../components/talos/secrets-bundle.ts";
import { mismatch, type Read } from "./read.ts";

const text = z.string().min(1);
const certificate = z.strictObject({ crt: text, key: text });

/** Root secrets of the cluster, as `talosctl gen config --with-secrets` reads them. */
const talosSecrets = z.strictObject({
  cluster: z.strictObject({ id: text, secret: text }),
  secrets: z.strictObject({
    bootstraptoken: text,
    secretboxencryptionsecret: text,
    aescbcencryptionsecret: text.optional(),
  }),
  trustdinfo: z.strictObject({ token: text }),
  certs: z.strictObject({
    etcd: certificate,
    k8s: certificate,
    k8saggregator: certificate,
    k8sserviceaccount: z.strictObject({ key: text }),
    os: certificate,
  }),
});

const secrets = {
  /** Configuration contract that the cluster was created with. @example "v1.13" */
  contract: text,
  talosSecrets,
  /** The 32 bytes that the age identity is made of, base64. */
  ageSeed: text,
  ageIdentity: text,
  /** The deploy key, PKCS #8 in PEM. */
  deployKey: text,
  webhookToken: text,
  /** Passwords that the random plugin drew, by the name of their resource: with them a new state is the old one. */
  passwords: z.record(z.string(), text),
  /** Tunnels by name. */
  tunnels: z.record(z.string(), z.strictObject({ account: text, id: text, secret: text, token: text })),
  /** Secrets of the configuration in plain, by their key under `hearth:`. */
  configured: z.record(z.string(), z.string()),
  /** The stack's file as it is, with its salt and its encrypted secrets. */
  stackFile: text,
  /** What the stack's secrets are encrypted with, where that is a passphrase. */
  passphrase: text.optional(),
};

const { version, ...head } = headFields;

/** All that a rebuild needs beside Git and backups. */
export const escrowSchema = z.strictObject({ ...head, ...secrets });
export type EscrowV1 = z.output<typeof escrowSchema>;

export const fileSchema = z.object({ version, ...head, fingerprint: text, secrets: z.strictObject(secrets) });

/** The root secrets of an escrow, which its fingerprint is made of. */
export const rootSecretsOf = (escrow: EscrowV1): RootSecretValues => ({
  cluster: escrow.cluster,
  talos: fromBundle(escrow.talosSecrets),
  ageIdentity: escrow.ageIdentity,
  deployKey: escrow.deployKey,
  webhookToken: escrow.webhookToken,
  tunnels: Object.fromEntries(Object.entries(escrow.tunnels).map(([name, { token }]) => [name, token])),
  configured: Object.fromEntries(
    Object.entries(escrow.configured).map(([key, value]) => [key, structured.has(key) ? JSON.parse(value) : value]),
  ),
});

/** Secrets of the configuration that are objects to the program, and JSON to Pulumi. */
const structured = new Set(["machinePatches", "registryCredentials"]);

/**
 * Reads a decrypted file of version 1.
 *
 * What is here stays as it is: another part, another name or another fingerprint is another version, with a file of its own.
 */
export const readV1 = (document: unknown): Read<EscrowV1> => {
  const { data, error } = fileSchema.safeParse(document);
  if (!data) return { problem: mismatch(error.issues, 1) };
  const { stack, cluster, createdAt, secrets: opened } = data;
  const escrow = { stack, cluster, createdAt, ...opened };
  if (fingerprintOf(rootSecretsOf(escrow)) !== data.fingerprint) {
    return { problem: "what it holds is not what its fingerprint names" };
  }
  return { escrow };
};
