import { hkdfSync } from "node:crypto";

/** Bytes of a seed, enough for an X25519 or Ed25519 key and for a tunnel's secret. */
export const seedLength = 32;

/** The seed that a password makes for a purpose, by HKDF with SHA-256 (RFC 5869). Base64. */
export const deriveSeed = (password: string, purpose: string): string =>
  Buffer.from(hkdfSync("sha256", password, "", `hearth ${purpose}`, seedLength)).toString("base64");
