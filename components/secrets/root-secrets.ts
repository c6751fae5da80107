import * as pulumi from "@pulumi/pulumi";

import { ageIdentity, ageRecipient, verifyOpens, type EncryptedFile } from "./age.ts";
import { makeSeed } from "./seed.ts";
import { sshKeyPair } from "./ssh.ts";

export interface RootSecretsArgs {
  /** Name that the deploy key carries as its comment. */
  cluster: string;
  /** Base64 of the age seed to use in place of a new one, as after a recovery. */
  ageSeed: pulumi.Output<string> | undefined;
  /** The tree's encrypted files, each of which the age identity has to open. */
  encryptedFiles: EncryptedFile[];
}

/** The secrets that Hearth itself makes: the age identity and the deploy key. */
export class RootSecrets extends pulumi.ComponentResource {
  /** The age identity, tried on every encrypted file of the tree. Secret. */
  readonly ageIdentity: pulumi.Output<string>;
  readonly ageRecipient: pulumi.Output<string>;
  /** Secret. */
  readonly deployKey: pulumi.Output<string>;
  /** The deploy key's public half, to be registered with the repository. */
  readonly deployKeyPublic: pulumi.Output<string>;
  /** What a push to the repository is signed with, on its way to the cluster. Secret. */
  readonly webhookToken: pulumi.Output<string>;

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
    this.registerOutputs({ ageRecipient: this.ageRecipient, deployKeyPublic: this.deployKeyPublic });
  }
}

/** The identity, once it has opened the tree's files. Whatever is given it waits for that, as Flux does. */
export const tried = async (identity: string, files: EncryptedFile[]): Promise<string> => {
  try {
    await verifyOpens(identity, files);
    return identity;
  } catch (error) {
    // A person's mistake: its message says all, and no stack trace follows.
    throw new pulumi.RunError(error instanceof Error ? error.message : String(error));
  }
};

const fromBase64 = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value, "base64"));
