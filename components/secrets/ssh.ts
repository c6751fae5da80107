import { createHash, createPrivateKey, createPublicKey, randomBytes } from "node:crypto";

/** A key pair for SSH. */
export interface SshKeyPair {
  /** PKCS #8 in PEM. */
  privateKey: string;
  /** One line of authorized_keys, without its newline. It ends with the comment, if there is one. */
  publicKey: string;
}

/** The bytes before the 32 bytes of an Ed25519 key in PKCS #8. Source: RFC 8410, section 7. */
const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");

/** Derives an Ed25519 key pair from a seed of 32 bytes. Source of the public format: RFC 8709, section 4. */
export const sshKeyPair = (seed: Uint8Array, comment?: string): SshKeyPair => {
  const key = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: "der", type: "pkcs8" });
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  const blob = publicBlob(spki.subarray(-32));
  return {
    privateKey: key.export({ format: "pem", type: "pkcs8" }).toString(),
    publicKey: ["ssh-ed25519", blob.toString("base64"), ...(comment === undefined ? [] : [comment])].join(" "),
  };
};

/** The fingerprint of a private key's public half, as ssh-keygen and Git hosts show it. */
export const publicKeyFingerprint = (privateKey: string): string => {
  const spki = createPublicKey(createPrivateKey(privateKey)).export({ format: "der", type: "spki" });
  const digest = createHash("sha256")
    .update(publicBlob(spki.subarray(-32)))
    .digest("base64");
  return `SHA256:${digest.replace(/=+$/, "")}`;
};

/**
 * The private key of a seed in OpenSSH's own format. OpenSSH before 9.6 reads no Ed25519 key in PKCS #8.
 *
 * Source: openssh-portable, PROTOCOL.key.
 */
export const openSshKey = (seed: Uint8Array, comment: string): string => {
  const { privateKey } = sshKeyPair(seed, comment);
  const bytes = createPublicKey(createPrivateKey(privateKey)).export({ format: "der", type: "spki" }).subarray(-32);
  const check = randomBytes(4);
  const secret = Buffer.concat([
    ...[check, check, sshString("ssh-ed25519"), sshString(bytes)],
    ...[sshString(Buffer.concat([seed, bytes])), sshString(comment)],
  ]);
  const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, index) => index + 1));
  const none = sshString("none");
  const one = Buffer.from([0, 0, 0, 1]);
  const whole = Buffer.concat([
    ...[Buffer.from("openssh-key-v1\0"), none, none, sshString(""), one],
    ...[sshString(publicBlob(bytes)), sshString(Buffer.concat([secret, padding]))],
  ]);
  const lines = whole.toString("base64").match(/.{1,70}/g) ?? [];
  return ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""].join("\n");
};

const publicBlob = (bytes: Uint8Array): Buffer => Buffer.concat([sshString("ssh-ed25519"), sshString(bytes)]);

/** A value with its length before it. Source: RFC 4251, section 5. */
export const sshString = (value: string | Uint8Array): Buffer => {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};
