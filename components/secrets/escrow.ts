import * as pulumi from "@pulumi/pulumi";

import { resourceTypes } from "../resource-types.ts";
import { escrowStatus, type Expected } from "./escrow-status.ts";
import { fingerprintOf, type RootSecretValues } from "./fingerprint.ts";

/** Values of which some are known only once the stack is up. */
type Inputs<T> = {
  [K in keyof T]: T[K] extends Record<string, infer V> ? Record<string, pulumi.Input<V>> : pulumi.Input<T[K]>;
};

export interface EscrowArgs {
  /** All that the escrow holds and no program brings back. */
  values: Inputs<RootSecretValues>;
  /** The escrow's file as it is; undefined where it is missing. */
  file: string | undefined;
  /** Path of the file, to be named in messages. */
  path: string;
  /** Whom the configuration names. */
  recipients: Expected["recipients"];
}

/**
 * Keeps the fingerprint of the root secrets in the state, and warns where the escrow does not hold them.
 *
 * Nothing is written: the secrets exist only after an update, and `npx hearth escrow` reads them from its state.
 */
export class Escrow extends pulumi.ComponentResource {
  /** Names the root secrets without telling them. */
  readonly fingerprint: pulumi.Output<string>;

  constructor(name: string, { values, file, path, recipients }: EscrowArgs, opts?: pulumi.ComponentResourceOptions) {
    super(resourceTypes.escrow, name, {}, opts);
    this.fingerprint = pulumi.unsecret(
      (pulumi.secret(values) as unknown as pulumi.Output<RootSecretValues>).apply(fingerprintOf),
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
