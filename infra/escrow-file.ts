import type { Recipients } from "../components/secrets/escrow-head.ts";
import type { HearthConfig } from "./config/index.ts";

/** Where a stack's escrow is, from the root of the project. */
export const escrowPath = ({ escrow }: Pick<HearthConfig, "escrow">, stack: string): string =>
  escrow?.path ?? `escrow/${stack}.sops.yaml`;

/** Whom a stack's escrow should be encrypted to. */
export const escrowRecipients = ({ escrow }: Pick<HearthConfig, "escrow">): Recipients => ({
  age: escrow?.recipients ?? [],
  kms: escrow?.kms === undefined ? [] : [escrow.kms],
});
