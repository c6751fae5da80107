import * as pulumi from "@pulumi/pulumi";

import { resourceTypes } from "../resource-types.ts";
import { escrowStatus, type Expected } from "./escrow-status.ts";
import { fingerprintOf, type RootSecretValues } from "./fingerprint.ts";
import { otherSigners, type Signers } from "./signing.ts";

/** Inputs of which some are known only after the stack is up. */
type Inputs<T> = {
  [K in keyof T]: T[K] extends Record<string, infer V> ? Record<string, pulumi.Input<V>> : pulumi.Input<T[K]>;
};

export interface EscrowArgs {
  /** The secrets that the escrow holds and that no program can recreate. */
  values: Inputs<RootSecretValues>;
  /** Text of the escrow's file; undefined if it is missing. */
  file: string | undefined;
  /** Path of the file, for messages. */
  path: string;
  /** Recipients that the configuration names. */
  recipients: Expected["recipients"];
  /** Public halves of the keys that sign backups, and those that the configuration names. */
  signers: { actual: pulumi.Input<Signers>; named: Signers | undefined };
}

/**
 * Keeps the fingerprint of the root secrets in the state, and warns if the escrow does not hold them.
 *
 * It writes nothing: the secrets exist only after an update, and `npx hearth escrow` reads them from the state.
 */
export class Escrow extends pulumi.ComponentResource {
  /** Identifies the root secrets without revealing them. */
  readonly fingerprint: pulumi.Output<string>;

  constructor(
    name: string,
    { values, file, path, recipients, signers }: EscrowArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super(resourceTypes.escrow, name, {}, opts);
    this.fingerprint = pulumi.unsecret(
      pulumi
        .all([pulumi.secret(values) as unknown as pulumi.Output<RootSecretValues>, signers.actual])
        .apply(([secrets, actual]) => {
          requireSigners(signers.named, actual);
          return fingerprintOf(secrets);
        }),
    );
    const stack = pulumi.getStack();
    const warned = this.fingerprint.apply(async (fingerprint) => {
      const status = escrowStatus(file, { stack, fingerprint, recipients });
      if (status.is !== "current") {
        const advice =
          status.advice === undefined ? `. Write it with: npx hearth escrow ${stack}` : `: ${status.advice}`;
        await pulumi.log.warn(`${path} ${status.problem}${advice}`, this);
      }
      return fingerprint;
    });
    this.registerOutputs({ fingerprint: warned });
  }
}

/** Ends the run if the configuration names other signers than the stack has. */
export const requireSigners = (named: Signers | undefined, actual: Signers): void => {
  const mismatch = named && otherSigners(named, actual);
  // The cause is a person's mistake. A RunError prints its message without a stack trace.
  if (mismatch !== undefined) throw new pulumi.RunError(mismatch);
};
