import * as pulumi from "@pulumi/pulumi";

import { ageIdentity, ageRecipient, verifyOpens, type EncryptedFile } from "./age.ts";
import { diskRecoverySeed, makeSeed } from "./seed.ts";
import { signersOf, signingKeys, signingSeed, type Signers } from "./signing.ts";
import { sshKeyPair, type SshKeyPair } from "./ssh.ts";

export interface RootSecretsArgs {
  /** Name of the cluster, for the deploy key's comment. */
  cluster: string;
  /** Base64 of an existing age seed, as after a recovery. Without it a new one is generated. */
  ageSeed: pulumi.Output<string> | undefined;
  /** The tree's encrypted files. The age identity has to decrypt each of them. */
  encryptedFiles: EncryptedFile[];
}

/** The secrets that Hearth itself generates. */
export class RootSecrets extends pulumi.ComponentResource {
  /** The age identity, after it has decrypted every encrypted file of the tree. Secret. */
  readonly ageIdentity: pulumi.Output<string>;
  readonly ageRecipient: pulumi.Output<string>;
  /** Secret. */
  readonly deployKey: pulumi.Output<string>;
  /** The deploy key's public half, which has to be registered with the repository. */
  readonly deployKeyPublic: pulumi.Output<string>;
  /** Key that signs push notifications. Secret. */
  readonly webhookToken: pulumi.Output<string>;
  /** Second key of volumes whose key is in a TPM. Secret. */
  readonly diskRecoveryKey: pulumi.Output<string>;
  /** Keys that sign backups. Secret. */
  readonly signingKeys: pulumi.Output<Signers<SshKeyPair>>;
  /** Their public halves. */
  readonly signers: pulumi.Output<Signers>;

  constructor(name: string, args: RootSecretsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:secrets:RootSecrets", name, {}, opts);
    const identity = pulumi
      .secret(args.ageSeed ?? makeSeed("age-seed", this))
      .apply((seed) => ageIdentity(fromBase64(seed)));
    this.ageIdentity = identity.apply((value) => tried(value, args.encryptedFiles));
    this.ageRecipient = pulumi.unsecret(identity.apply(ageRecipient));
    const pair = makeSeed("deploy-key-seed", this).apply((seed) =>
      sshKeyPair(fromBase64(seed), `hearth-${args.cluster}`),
    );
    this.deployKey = pair.privateKey;
    this.deployKeyPublic = pulumi.unsecret(pair.publicKey);
    this.webhookToken = makeSeed("webhook-token", this);
    this.diskRecoveryKey = makeSeed(diskRecoverySeed, this);
    this.signingKeys = makeSeed(signingSeed, this).apply(signingKeys);
    this.signers = pulumi.unsecret(this.signingKeys.apply(signersOf));
    this.registerOutputs({ ageRecipient: this.ageRecipient, deployKeyPublic: this.deployKeyPublic });
  }
}

/** Returns the identity once it has decrypted the tree's files, so that its dependents, such as Flux, wait for the proof. */
export const tried = async (identity: string, files: EncryptedFile[]): Promise<string> => {
  try {
    await verifyOpens(identity, files);
    return identity;
  } catch (error) {
    // The cause is a person's mistake. A RunError prints its message without a stack trace.
    throw new pulumi.RunError(error instanceof Error ? error.message : String(error));
  }
};

const fromBase64 = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value, "base64"));
