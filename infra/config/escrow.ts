import { bech32 } from "@scure/base";
import { z } from "zod";

import { isPlaceholder } from "../../components/secrets/known-recipients.ts";
import { says } from "./error.ts";

/** Source: FiloSottile/age, the X25519 recipient type: Bech32 of 32 bytes, so a slip of the keyboard shows. */
const isRecipient = (value: string): boolean => {
  const decoded = bech32.decodeUnsafe(value, 90);
  return decoded?.prefix === "age" && bech32.fromWordsUnsafe(decoded.words)?.length === 32;
};

/** Somebody who holds the identity of an age recipient can open the file. */
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

/** Git would take a word that begins with a dash for an option. */
const gitWord = z
  .string()
  .regex(/^[^\s-]\S*$/, says("is not what Git takes", "write it without spaces and without a dash at its beginning"));

/** Where the file is copied to; state and etcd backups as well, save to Git, which would keep each for ever. */
const copy = z.discriminatedUnion(
  "to",
  [
    z.strictObject({
      /** A folder, such as a mounted share. */
      to: z.literal("folder"),
      /** Its path; relative to the root of the project unless it begins with a slash. @example "/mnt/nas/hearth" */
      path: z.string().min(1, says("is empty", "write one such as /mnt/nas/hearth")),
    }),
    z.strictObject({
      /** A branch of a Git repository. */
      to: z.literal("git"),
      /** URL that Git pushes to with your own credentials. @example "ssh://git@github.com/you/escrow.git" */
      repository: gitWord,
      /** The branch that it pushes to. @default "main" */
      branch: gitWord.default("main"),
    }),
    z.strictObject({
      /** A bucket of Amazon S3 or of a service that speaks the same; the credentials are in AWS's own variables. */
      to: z.literal("s3"),
      /** Name of the bucket, which is there already. @example "den-backups" */
      bucket: z
        .string()
        .regex(
          /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
          says("is not the name of a bucket", "write one such as den-backups"),
        ),
      /** What the keys of all files begin with. @default "hearth" */
      prefix: z
        .string()
        .regex(
          /^[\w.-]+(\/[\w.-]+)*$/,
          says("is not a prefix", "write words with slashes between them, such as den/hearth"),
        )
        .default("hearth"),
      /** Region that requests are signed for. @default "us-east-1" */
      region: z.string().min(1, says("is empty", "write one such as eu-central-1")).default("us-east-1"),
      /** URL of a service other than Amazon's. @example "https://s3.example.com" */
      endpoint: z
        .url({ protocol: /^https?$/, error: says("is not a URL", "write one such as https://s3.example.com") })
        .optional(),
    }),
  ],
  { error: says("is not a place for copies", "write to: folder, to: git or to: s3 with its keys") },
);

/** The file that holds the stack's root secrets, so that a lost state can be made again. */
export const escrowSchema = z.strictObject({
  /**
   * Age recipients, any one of whom can open the file.
   *
   * @example "<your age recipient>"
   */
  recipients: z.array(recipient).min(1, says("is empty, so that nobody could open it", "name at least one recipient")),
  /**
   * A key of a cloud's or a Vault's key management that can open the file as well.
   *
   * @example "arn:aws:kms:eu-central-1:123456789012:key/0b5d7a3e-6c1f-4d2e-9a8b-7c6d5e4f3a2b"
   */
  kms: kms.optional(),
  /**
   * Where the file is, from the root of the project.
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
  /** Where the file is copied to, and backups with it. @default none */
  copies: z.array(copy).default([]),
});
