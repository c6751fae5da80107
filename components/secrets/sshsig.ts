import { createHash, createPrivateKey, createPublicKey, sign as signBytes, verify as verifyBytes } from "node:crypto";

import { sshString } from "./ssh.ts";

/**
 * Signatures in OpenSSH's format, over SHA-512, by Ed25519 keys.
 *
 * `ssh-keygen -Y verify -n NAMESPACE -s FILE.sig < FILE` verifies them. After the signature, where ssh-keygen does not look, a line
 * repeats the digest of what was signed: so a reader can verify who signed a large file before it reads the file.
 *
 * Source: openssh/openssh-portable, PROTOCOL.sshsig and sshsig.c, sshsig_dearmor; tried with 9.2.
 */
export interface Signature {
  /** One line of authorized_keys without a comment. */
  signer: string;
  /** What the signed file is. */
  namespace: string;
  /** SHA-512 of what was signed, in hex. */
  digest: string;
}

const begin = "-----BEGIN SSH SIGNATURE-----";
const end = "-----END SSH SIGNATURE-----";
const magic = Buffer.from("SSHSIG");
const algorithm = "ssh-ed25519";
const hash = "sha512";

/** The bytes before the 32 bytes of an Ed25519 key in SPKI. Source: RFC 8410, section 4. */
const spkiPrefix = Buffer.from("302a300506032b6570032100", "hex");

/** The digest that a signature is over, in hex. */
export const digestOf = (content: Uint8Array): string => createHash(hash).update(content).digest("hex");

/**
 * Signs content.
 *
 * @param privateKey an Ed25519 key in PEM
 * @param namespace what the content is; a verifier has to expect the same
 * @returns text of the file to put beside the content
 */
export const signatureOf = (content: Uint8Array, privateKey: string, namespace: string): string => {
  const key = createPrivateKey(privateKey);
  const digest = digestOf(content);
  const publicKey = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(spkiPrefix.length);
  const signed = signBytes(null, signedBytes(namespace, digest), key);
  const version = Buffer.from([0, 0, 0, 1]);
  const blob = Buffer.concat([
    ...[magic, version, sshString(Buffer.concat([sshString(algorithm), sshString(publicKey)]))],
    ...[sshString(namespace), sshString(""), sshString(hash)],
    sshString(Buffer.concat([sshString(algorithm), sshString(signed)])),
  ]);
  const lines = blob.toString("base64").match(/.{1,70}/g) ?? [];
  return [begin, ...lines, end, `${hash} ${digest}`, ""].join("\n");
};

/** Reads a signature and verifies it over the digest that it repeats; undefined if it is damaged or not valid. */
export const readSignature = (text: string): Signature | undefined => {
  const [, base64, digest] = pattern.exec(text) ?? [];
  if (base64 === undefined || digest === undefined) return undefined;
  try {
    const blob = Buffer.from(base64, "base64");
    if (blob.toString("base64") !== base64.replaceAll("\n", "")) return undefined;
    const fields = new Fields(blob);
    fields.expect(magic);
    fields.expect(Buffer.from([0, 0, 0, 1]));
    const keyBlob = fields.string();
    const namespace = fields.string().toString();
    fields.expect(sshString(""));
    fields.expect(sshString(hash));
    const signed = new Fields(fields.string());
    fields.close();
    const key = new Fields(keyBlob);
    for (const each of [key, signed]) each.expect(sshString(algorithm));
    const spki = Buffer.concat([spkiPrefix, key.string()]);
    const bytes = signed.string();
    for (const each of [key, signed]) each.close();
    const publicKey = createPublicKey({ key: spki, format: "der", type: "spki" });
    if (!verifyBytes(null, signedBytes(namespace, digest), publicKey, bytes)) return undefined;
    return { signer: `${algorithm} ${keyBlob.toString("base64")}`, namespace, digest };
  } catch {
    return undefined;
  }
};

const pattern = new RegExp(`^${begin}\\n([A-Za-z0-9+/=\\n]+)\\n${end}\\n${hash} ([0-9a-f]{128})\\n$`);

const signedBytes = (namespace: string, digest: string): Buffer =>
  Buffer.concat([magic, sshString(namespace), sshString(""), sshString(hash), sshString(Buffer.from(digest, "hex"))]);

/** Reads SSH's strings one after the other. Throws where the bytes are others. */
class Fields {
  private rest: Buffer;

  constructor(bytes: Buffer) {
    this.rest = bytes;
  }

  string(): Buffer {
    const length = this.rest.readUInt32BE();
    if (this.rest.length < 4 + length) throw new RangeError("cut off");
    const value = this.rest.subarray(4, 4 + length);
    this.rest = this.rest.subarray(4 + length);
    return value;
  }

  expect(bytes: Buffer): void {
    if (!this.rest.subarray(0, bytes.length).equals(bytes)) throw new RangeError("other bytes");
    this.rest = this.rest.subarray(bytes.length);
  }

  close(): void {
    if (this.rest.length > 0) throw new RangeError("more bytes");
  }
}
