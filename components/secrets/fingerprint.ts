import { createHash } from "node:crypto";

/** What makes a stack itself: lost once, no program brings these values back. */
export interface RootSecretValues {
  /** Name of the cluster. */
  cluster: string;
  /** Root secrets of the Talos cluster, as the Talos plugin gives them. */
  talos: unknown;
  ageIdentity: string;
  /** The deploy key in PEM. */
  deployKey: string;
  webhookToken: string;
  /** Connector tokens by the tunnel's name: each holds account, identifier and secret. */
  tunnels: Record<string, string>;
  /** Secrets that a person set, by their key under `hearth:`. */
  configured: Record<string, unknown>;
}

/**
 * Names a set of root secrets without telling any of them: equal for equal values, in whatever order they come.
 *
 * It may stand in clear, because what is hashed holds hundreds of bits that nobody can guess.
 */
export const fingerprintOf = (values: RootSecretValues): string =>
  `sha256:${createHash("sha256")
    .update(`hearth escrow 1\n${JSON.stringify(canonical(values))}`)
    .digest("hex")}`;

/** The same value with its keys in order, and without what says nothing. */
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
