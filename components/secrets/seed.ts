import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";

import { deriveSeed } from "./derive.ts";

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
