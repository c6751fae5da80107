import type { Recipients } from "../components/secrets/escrow-head.ts";
import type { HearthConfig } from "./config/index.ts";

/** Returns the path of a stack's escrow, relative to the project's root. */
export const escrowPath = ({ escrow }: Pick<HearthConfig, "escrow">, stack: string): string =>
  escrow?.path ?? `escrow/${stack}.sops.yaml`;

/** Returns the recipients that a stack's escrow should be encrypted to. */
export const escrowRecipients = ({ escrow }: Pick<HearthConfig, "escrow">): Recipients => ({
  age: escrow?.recipients ?? [],
  kms: escrow?.kms === undefined ? [] : [escrow.kms],
});
