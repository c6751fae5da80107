import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";

import { deriveSeed } from "./derive.ts";

/** Name of the seed that is the second key of volumes whose key is in a TPM. */
export const diskRecoverySeed = "disk-recovery-seed";

/**
 * Generates a root secret of a stack: 32 bytes that never change. Returns base64, as a secret.
 *
 * The source is a password of 64 letters and digits (381 bits). RandomBytes is unsuitable: its value is also its identifier,
 * and identifiers are stored unencrypted in the state.
 */
export const makeSeed = (name: string, parent: pulumi.Resource): pulumi.Output<string> => {
  const { result } = new random.RandomPassword(name, { length: 64, special: false }, { parent, protect: true });
  return pulumi.secret(result).apply((password) => deriveSeed(password, name));
};
