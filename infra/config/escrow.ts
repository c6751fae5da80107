import { bech32 } from "@scure/base";
import { z } from "zod";

import { isPlaceholder } from "../../components/secrets/known-recipients.ts";
import { says } from "./error.ts";

/** Bech32 has a checksum, which reveals typos. Source: FiloSottile/age, the X25519 recipient type: Bech32 of 32 bytes. */
const isRecipient = (value: string): boolean => {
  const decoded = bech32.decodeUnsafe(value, 90);
  return decoded?.prefix === "age" && bech32.fromWordsUnsafe(decoded.words)?.length === 32;
};

/** An age recipient. Whoever holds its identity can decrypt the file. */
const recipient = z
  .string()
  .refine((value) => !value.toUpperCase().startsWith("AGE-SECRET-KEY-"), {
    error: says("is a secret identity, not a recipient", "write its public half; age-keygen -y prints it"),
    abort: true,
  })
  .refine(
    (value) => isRecipient(value) || isPlaceholder(value),
    says("is not an age recipient", "write the age1… that age-keygen prints"),
  );

/** Source: getsops/sops, README, the identifiers of each service's keys. */
const kms = z
  .string()
  .regex(
    new RegExp(
      [
        String.raw`^arn:aws[\w-]*:kms:[\w-]+:\d{12}:(key|alias)\/[\w/-]+$`,
        String.raw`^projects\/[\w:.-]+\/locations\/[\w-]+\/keyRings\/[\w-]+\/cryptoKeys\/[\w-]+$`,
        String.raw`^https:\/\/[\w-]+\.vault\.azure\.net\/keys\/[\w-]+\/\w+$`,
        String.raw`^https:\/\/\S+\/v1\/[\w/-]+\/keys\/[\w-]+$`,
      ].join("|"),
    ),
    says(
      "is not the name of a KMS key",
      "write an AWS ARN, a Google Cloud resource name, or the URL of a key in Azure Key Vault or HashiCorp Vault",
    ),
  );

/** Git would read a word that begins with a dash as an option. */
const gitWord = z
  .string()
  .regex(/^[^\s-]\S*$/, says("is not what Git takes", "write it without spaces and without a dash at its beginning"));

/** Where the escrow is copied to. Folders and buckets also get backups of the state and of etcd; Git would keep each for ever. */
const copy = z.discriminatedUnion(
  "to",
  [
    z.strictObject({
      /** A folder, such as a mounted share. */
      to: z.literal("folder"),
      /** Path of the folder, relative to the project's root unless it begins with a slash. @example "/mnt/nas/hearth" */
      path: z.string().min(1, says("is empty", "write one such as /mnt/nas/hearth")),
    }),
    z.strictObject({
      /** A branch of a Git repository. */
      to: z.literal("git"),
      /** URL that Git pushes to with your own credentials. @example "ssh://git@github.com/you/escrow.git" */
      repository: gitWord,
      /** Branch to push to. @default "main" */
      branch: gitWord.default("main"),
    }),
    z.strictObject({
      /** A bucket of Amazon S3 or a compatible service. The credentials are in AWS's own environment variables. */
      to: z.literal("s3"),
      /** Name of an existing bucket. @example "den-backups" */
      bucket: z
        .string()
        .regex(
          /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
          says("is not the name of a bucket", "write one such as den-backups"),
        ),
      /** Prefix of all keys. @default "hearth" */
      prefix: z
        .string()
        .regex(
          /^[\w.-]+(\/[\w.-]+)*$/,
          says("is not a prefix", "write words with slashes between them, such as den/hearth"),
        )
        .default("hearth"),
      /** Region of the bucket, for signatures. @default "us-east-1" */
      region: z.string().min(1, says("is empty", "write one such as eu-central-1")).default("us-east-1"),
      /** URL of an S3-compatible service. @default Amazon's @example "https://s3.example.com" */
      endpoint: z
        .url({ protocol: /^https?$/, error: says("is not a URL", "write one such as https://s3.example.com") })
        .optional(),
    }),
  ],
  { error: says("is not a destination for copies", "write to: folder, to: git or to: s3 with its keys") },
);

/** An Ed25519 key: 51 bytes in base64. Source: RFC 8709, section 4. */
const signer = z
  .string()
  .regex(
    /^ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI[A-Za-z0-9+/]{43}$/,
    says("is not a signer", "remove hearth:escrow.signers, and let npx hearth escrow write it"),
  );

/** The file with the stack's root secrets, from which a lost state can be rebuilt. */
export const escrowSchema = z.strictObject({
  /**
   * Age recipients. Each of them can decrypt the file.
   *
   * @example "<your age recipient>"
   */
  recipients: z.array(recipient).min(1, says("is empty, so that nobody could open it", "name at least one recipient")),
  /**
   * A key of a cloud's key management service or of Vault that can also decrypt the file.
   *
   * @example "arn:aws:kms:eu-central-1:123456789012:key/0b5d7a3e-6c1f-4d2e-9a8b-7c6d5e4f3a2b"
   */
  kms: kms.optional(),
  /**
   * Path of the file, relative to the project's root.
   *
   * @default `escrow/` and the name of the stack, such as `escrow/dev.sops.yaml`
   * @example "escrow/dev.sops.yaml"
   */
  path: z
    .string()
    .regex(
      /^(?!\/)(?!.*\.\.).+\.sops\.yaml$/,
      says("is not a SOPS file of the project", "write one such as escrow/dev.sops.yaml"),
    )
    .optional(),
  /**
   * Public keys that sign backups. `npx hearth escrow` writes them. Nothing that other keys signed is restored.
   *
   * @default none: backups are signed, and only one that is named with `--unsigned` is restored
   */
  signers: z
    .strictObject({
      /** Signs states, escrows, and the snapshots that people take. */
      stack: signer,
      /** Signs the snapshots of the cluster's schedule. */
      cluster: signer,
    })
    .optional(),
  /** Destinations that the file and backups are copied to. @default none */
  copies: z.array(copy).default([]),
});
