import { deriveSeed } from "./derive.ts";
import { sshKeyPair, type SshKeyPair } from "./ssh.ts";

/** Name of the seed that both signing keys are derived from. */
export const signingSeed = "signing-seed";

/**
 * Who signs backups: the stack signs its states, escrows and the snapshots that people take, and the cluster the snapshots of its
 * schedule. So whoever gets into the cluster cannot sign a state.
 */
export interface Signers<Key = string> {
  stack: Key;
  cluster: Key;
}

/**
 * Derives the signing keys of a stack. The cluster's key does not reveal the stack's.
 *
 * @param seed base64 of 32 bytes
 */
export const signingKeys = (seed: string): Signers<SshKeyPair> => ({
  stack: sshKeyPair(Buffer.from(seed, "base64")),
  cluster: sshKeyPair(Buffer.from(deriveSeed(seed, "scheduled-snapshots"), "base64")),
});

/** The public halves, as `hearth:escrow.signers` names them. */
export const signersOf = ({ stack, cluster }: Signers<SshKeyPair>): Signers => ({
  stack: stack.publicKey,
  cluster: cluster.publicKey,
});

/**
 * Describes the difference between the signers that a configuration names and those that the stack has; undefined if there is none.
 */
export const otherSigners = (named: Signers, actual: Signers): string | undefined => {
  const which = (["stack", "cluster"] as const).find((each) => named[each] !== actual[each]);
  if (which === undefined) return undefined;
  return (
    `hearth:escrow.signers.${which} is ${named[which]}, and this ${which} signs as ${actual[which]}: bring back the state or ` +
    "the escrow that has the named key; only if that key is lost, remove hearth:escrow.signers and run npx hearth escrow"
  );
};

/**
 * What a signed file is: the namespace of its signature. It binds the signature to the stack, the kind and the name.
 *
 * @param name of a backup's file; an escrow has none
 */
export const signedAs = (stack: string, kind: "state" | "etcd" | "escrow", name?: string): string =>
  ["hearth:" + stack, kind, ...(name === undefined ? [] : [name])].join("/");
