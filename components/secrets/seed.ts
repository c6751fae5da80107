import { hkdfSync } from "node:crypto";

import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";

/** Bytes of a seed, enough for an X25519 or Ed25519 key and for a tunnel's secret. */
export const seedLength = 32;

/**
 * Makes a root secret of a stack: 32 bytes that stay the same for its life. Base64, secret.
 *
 * It is drawn as a password of 64 letters and digits (381 bits), because the resource of random bytes has its value as its
 * identifier, and identifiers stand unencrypted in state.
 */
export const makeSeed = (name: string, parent: pulumi.Resource): pulumi.Output<string> => {
  const { result } = new random.RandomPassword(name, { length: 64, special: false }, { parent, protect: true });
  return pulumi.secret(result).apply((password) => deriveSeed(password, name));
};

/** The seed that a password makes for a purpose, by HKDF with SHA-256 (RFC 5869). Base64. */
export const deriveSeed = (password: string, purpose: string): string =>
  Buffer.from(hkdfSync("sha256", password, "", `hearth ${purpose}`, seedLength)).toString("base64");
