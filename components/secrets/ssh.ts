import { createPrivateKey, createPublicKey } from "node:crypto";

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
  const blob = Buffer.concat([sshString("ssh-ed25519"), sshString(spki.subarray(-32))]);
  return {
    privateKey: key.export({ format: "pem", type: "pkcs8" }).toString(),
    publicKey: ["ssh-ed25519", blob.toString("base64"), ...(comment === undefined ? [] : [comment])].join(" "),
  };
};

/** A value with its length before it. Source: RFC 4251, section 5. */
export const sshString = (value: string | Uint8Array): Buffer => {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};
