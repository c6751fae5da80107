import { stringify } from "yaml";
import { z } from "zod";

import { escrowHead, headFields, type EscrowHead, type Openers } from "../../components/secrets/escrow-head.ts";
import { fingerprintOf } from "../../components/secrets/fingerprint.ts";
import { fromBundle } from "../../components/talos/secrets-bundle.ts";
import { Problem } from "../../toolchain/problem.ts";
import { byRecipient, type Keys } from "./keys.ts";
import { SopsError, type Sops } from "./sops.ts";

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

const escrowSchema = z.strictObject({ ...headFields, ...secrets });
const fileSchema = z.object({ ...headFields, fingerprint: text, secrets: z.strictObject(secrets) });

/** All that a rebuild needs beside Git and backups. */
export type Escrow = z.output<typeof escrowSchema>;

/** Names the root secrets of an escrow: the program computes the same of its own, and keeps it in the state. */
export const fingerprint = (escrow: Escrow): string =>
  fingerprintOf({
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
const structured = new Set(["machinePatches"]);

/** Strings stay strings for SOPS's parser, which would take a time for a time. */
const quoted = { lineWidth: 0, defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "PLAIN" } as const;

/** Only what is below this key is encrypted; the MAC covers all of the file. */
const encrypted = "^secrets$";

const remark = (stack: string): string =>
  [
    ` Root secrets of stack ${stack}, written by \`npm run escrow -- ${stack}\`. Any one of the keys at the end opens it:`,
    `   sops decrypt escrow.sops.yaml`,
    ` What talosctl gen config --with-secrets reads: sops decrypt --extract '["secrets"]["talosSecrets"]' escrow.sops.yaml`,
  ]
    .map((line) => `#${line}\n`)
    .join("");

/** The text of the SOPS file that holds an escrow. */
export const sealEscrow = async (escrow: Escrow, openers: Openers, sops: Sops): Promise<string> => {
  const { version, stack, cluster, createdAt, ...rest } = escrowSchema.parse(escrow);
  const file = { version, stack, cluster, createdAt, fingerprint: fingerprint(escrow), secrets: rest };
  const sealed = await sops.encrypt(stringify(file, quoted), openers, encrypted);
  return remark(stack) + sealed;
};

/**
 * What an escrow file says without a key.
 *
 * @param name how to call the file in messages
 * @throws Problem where it is no whole escrow file
 */
export const headOf = (file: string, name: string): EscrowHead => {
  const read = escrowHead(file);
  if ("problem" in read) throw damaged(name, read.problem);
  return read.head;
};

/**
 * Opens an escrow.
 *
 * @param file text of the file
 * @param keys each is tried; one suffices
 * @param name how to call the file in messages
 * @throws Problem where it is not whole, where no key opens it, or where what it holds is not what its head says
 */
export const readEscrow = async (file: string, keys: Keys, sops: Sops, name = "the escrow"): Promise<Escrow> => {
  const { openers, fingerprint: said } = headOf(file, name);
  const known = await byRecipient(keys.identities);
  const asksKms = keys.kms && openers.kms.length > 0;
  if (!openers.recipients.some((recipient) => known.has(recipient)) && !asksKms) throw locked(name, openers);
  const document = await sops.decrypt(file, keys).catch((error: unknown) => {
    if (!(error instanceof SopsError)) throw error;
    if (error.refusal === "no key") throw locked(name, openers, error.message);
    throw damaged(name, error.refusal === "changed" ? "it was changed after it was written" : error.message);
  });
  const { data, error } = fileSchema.safeParse(document);
  if (!data) throw damaged(name, `it lacks ${[...new Set(error.issues.map(({ path }) => path.join(".")))].join(", ")}`);
  const { version, stack, cluster, createdAt, secrets: opened } = data;
  const escrow = { version, stack, cluster, createdAt, ...opened };
  if (fingerprint(escrow) !== said) throw damaged(name, "what it holds is not what its fingerprint names");
  return escrow;
};

/** Refuses an escrow of another stack. */
export const requireStack = ({ stack }: { stack: string }, wanted: string, name: string): void => {
  if (stack === wanted) return;
  throw new Problem(`${name} is the escrow of stack ${stack}, not of ${wanted}: name the file of ${wanted}`);
};

const damaged = (name: string, what: string): Problem =>
  new Problem(`${name} is damaged: ${what}. Take it from Git's history or from another place that it was copied to`);

const locked = (name: string, { recipients, kms }: Openers, detail = ""): Problem =>
  new Problem(
    [
      `No key at hand opens ${name}${detail === "" ? "" : ` (${detail})`}. It opens with the identity of any of these:`,
      ...[...recipients, ...kms].map((key) => `  ${key}`),
      "Put an age identity into the file that SOPS_AGE_KEY_FILE names, or log in to the key management service.",
    ].join("\n"),
  );
