import { randomBytes, randomUUID } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { codeOf } from "../toolchain/problem.ts";
import type { LabFolder } from "../lib/engine/lab-folder.ts";

/** The lab's generated credentials, for what a person would have from outside. */
export interface Credentials {
  /** Proxmox API token, USER@REALM!ID=SECRET. */
  proxmoxToken: string;
  /** Password of root@pam, which the stack uses only if a person sets it. A lab from before has none. */
  proxmoxPassword?: string;
  cloudflareToken: string;
  /** Encrypts the stack's secrets in its state and configuration. */
  passphrase: string;
}

const generate = (): Credentials => ({
  proxmoxToken: `hearth@pve!lab=${randomUUID()}`,
  proxmoxPassword: randomBytes(15).toString("base64url"),
  cloudflareToken: randomBytes(30).toString("base64url"),
  passphrase: randomBytes(24).toString("base64url"),
});

/** Reads the lab's credentials. The first call generates them. */
export const labCredentials = async (folder: LabFolder): Promise<Credentials> => {
  try {
    return JSON.parse(await readFile(folder.credentials, "utf8")) as Credentials;
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
  const credentials = generate();
  await mkdir(dirname(folder.credentials), { recursive: true, mode: 0o700 });
  await writeFile(folder.credentials, JSON.stringify(credentials, undefined, 2), { mode: 0o600 });
  await writeFile(folder.passphrase, credentials.passphrase, { mode: 0o600 });
  return credentials;
};
