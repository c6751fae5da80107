import { parse } from "yaml";
import { z } from "zod";

const text = z.string().min(1);

/** The format version of the escrows that Hearth writes. Readers of all versions up to it: lib/secrets/escrow-formats. */
export const escrowVersion = 3;

/**
 * The unencrypted fields at the head of an escrow, which identify it without a key. Every version has them.
 */
export const headFields = {
  version: z.int().min(1),
  /** Name of the stack. */
  stack: text,
  /** Name of the cluster. */
  cluster: text,
  /** Creation time, in UTC as ISO 8601. */
  createdAt: z.iso.datetime(),
};

const headSchema = z.object({
  ...headFields,
  fingerprint: text,
  /** Where the stack's state was kept, without credentials. Files written before 2026-11-28 do not have it. */
  backend: text.optional(),
});
const versionSchema = z.object({ version: headFields.version });

/** The key lists in SOPS's metadata. Source: getsops/sops, stores, the `sops` metadata. */
const metadata = z.object({
  sops: z.object({
    // Near the end of the file: where it is cut off, so is the file.
    mac: z.string().regex(/^ENC\[.+\]$/),
    age: z.array(z.object({ recipient: text, enc: text })).nullish(),
    kms: z.array(z.object({ arn: text })).nullish(),
    gcp_kms: z.array(z.object({ resource_id: text })).nullish(),
    azure_kv: z.array(z.object({ vault_url: text, name: text, version: z.string() })).nullish(),
    hc_vault: z.array(z.object({ vault_address: text, engine_path: text, key_name: text })).nullish(),
  }),
});

/** The recipients of an escrow, in the form in which the configuration names them. */
export interface Recipients {
  /** Age recipients. */
  age: string[];
  /** Keys of key management services (KMS). */
  kms: string[];
}

/** What can be read from an escrow without a key. */
export interface EscrowHead extends z.output<typeof headSchema> {
  recipients: Recipients;
}

/** Reads the head of an escrow. Returns a problem for a damaged file, and the version of a file that needs a newer Hearth. */
export const escrowHead = (file: string): { head: EscrowHead } | { problem: string } | { newer: number } => {
  const document = parsed(file);
  if (document === undefined) return { problem: "it is not whole YAML" };
  const { version } = versionSchema.safeParse(document).data ?? {};
  if (version !== undefined && version > escrowVersion) return { newer: version };
  const recipients = recipientsOf(document);
  if (!recipients) return { problem: "it has no whole list of the keys that open it" };
  const { data } = headSchema.safeParse(document);
  return data ? { head: { ...data, recipients } } : { problem: "its head is not that of an escrow" };
};

/** The problem of an escrow that a newer Hearth wrote, and what to do. */
export const unreadFormat = (version: number) => ({
  problem: `is of format ${version}, and this Hearth reads up to format ${escrowVersion}`,
  advice: "use the Hearth that wrote it, or a later one",
});

const parsed = (file: string): unknown => {
  try {
    return parse(file, { logLevel: "error" });
  } catch {
    // The parser's message repeats lines of the file.
    return undefined;
  }
};

const recipientsOf = (document: unknown): Recipients | undefined => {
  const { data } = metadata.safeParse(document);
  if (!data) return undefined;
  const { age, kms, gcp_kms: google, azure_kv: azure, hc_vault: vault } = data.sops;
  return {
    age: (age ?? []).map(({ recipient }) => recipient),
    kms: [
      ...(kms ?? []).map(({ arn }) => arn),
      ...(google ?? []).map(({ resource_id: id }) => id),
      ...(azure ?? []).map(({ vault_url: url, name, version }) => `${url}/keys/${name}/${version}`),
      ...(vault ?? []).map((key) => `${key.vault_address}/v1/${key.engine_path}/keys/${key.key_name}`),
    ],
  };
};
