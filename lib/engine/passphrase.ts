import { createDecipheriv, pbkdf2 } from "node:crypto";
import { promisify } from "node:util";

/** The salt of a stack file whose secrets a passphrase encrypts; undefined if something else does. */
export const saltIn = (stackFile: string): string | undefined => /^encryptionsalt: *(\S+)/m.exec(stackFile)?.[1];

/**
 * Whether a passphrase is the one of a salt. A salt has a text with it that the passphrase encrypted.
 *
 * Source: pulumi 3.259, pkg/secrets/passphrase/manager.go, and sdk/go/common/resource/config/crypt.go.
 */
export const opensSalt = async (passphrase: string, salt: string): Promise<boolean> => {
  const [version, bytes = "", inner, nonce = "", sealed = ""] = salt.split(":");
  if (version !== "v1" || inner !== "v1") return false;
  const key = await promisify(pbkdf2)(passphrase, Buffer.from(bytes, "base64"), 1_000_000, 32, "sha256");
  const text = Buffer.from(sealed, "base64");
  const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64"), { authTagLength: 16 });
  decipher.setAuthTag(text.subarray(-16));
  try {
    return Buffer.concat([decipher.update(text.subarray(0, -16)), decipher.final()]).toString() === "pulumi";
  } catch {
    return false;
  }
};
