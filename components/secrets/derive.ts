import { hkdfSync } from "node:crypto";

/** Length of a seed in bytes: enough for an X25519 or Ed25519 key and for a tunnel's secret. */
export const seedLength = 32;

/** Derives a seed from a password for one purpose, by HKDF with SHA-256 (RFC 5869). Returns base64. */
export const deriveSeed = (password: string, purpose: string): string =>
  Buffer.from(hkdfSync("sha256", password, "", `hearth ${purpose}`, seedLength)).toString("base64");
