import { createHash } from "node:crypto";

/** The root secrets of a stack. Once lost, no program can recreate them. */
export interface RootSecretValues {
  /** Name of the cluster. */
  cluster: string;
  /** Root secrets of the Talos cluster, as the Talos plugin returns them. */
  talos: unknown;
  ageIdentity: string;
  /** The deploy key in PEM. */
  deployKey: string;
  webhookToken: string;
  /** The stack's key for backups in PEM. Undefined in escrows of format 1. */
  signingKey?: string | undefined;
  /** Second key of volumes whose key is in a TPM. Undefined in escrows up to format 2. */
  diskRecoveryKey?: string | undefined;
  /** Connector tokens by the tunnel's name. Each contains the account, the identifier and the secret. */
  tunnels: Record<string, string>;
  /** Secrets that a person configured, by their key under `hearth:`. */
  configured: Record<string, unknown>;
}

/**
 * Returns a digest that identifies a set of root secrets without revealing them. The order of keys has no effect.
 *
 * It may be stored unencrypted, because the hashed text contains hundreds of bits that nobody can guess.
 */
export const fingerprintOf = (values: RootSecretValues): string =>
  `sha256:${createHash("sha256")
    .update(`hearth escrow 1\n${JSON.stringify(canonical(values))}`)
    .digest("hex")}`;

/** The same value with sorted keys and without empty fields. */
const canonical = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined && inner !== null && inner !== "")
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, canonical(inner)]),
  );
};
