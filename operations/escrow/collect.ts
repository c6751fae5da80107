import { readFile } from "node:fs/promises";

import type { MachineSecrets } from "@pulumi/talos";

import { resourceTypes } from "../../components/resource-types.ts";
import { connectorToken } from "../../components/cloudflare/connector-token.ts";
import { identityOfSeed } from "../../lib/secrets/stack-identity.ts";
import { deriveSeed } from "../../components/secrets/derive.ts";
import { signingKeys, signingSeed } from "../../components/secrets/signing.ts";
import { diskRecoverySeed } from "../../components/secrets/seed.ts";
import { sshKeyPair } from "../../components/secrets/ssh.ts";
import { toBundle } from "../../components/talos/secrets-bundle.ts";
import { Problem } from "../../toolchain/problem.ts";
import type { Target } from "../../lib/engine/target.ts";
import { nameOf } from "../../components/urn.ts";
import { ofType, outputsOf, type State } from "../../lib/engine/state.ts";
import { revealed } from "../../lib/engine/value.ts";
import type { Escrow } from "../../lib/secrets/escrow.ts";

/** The content of an escrow. */
export interface Sources {
  stack: string;
  cluster: string;
  /** The state, exported with its secrets in plain. */
  state: State;
  /** Secrets of the configuration in plain, by their key under `hearth:`. */
  configured: Record<string, string>;
  stackFile: string;
  passphrase: string | undefined;
  now: Date;
}

/**
 * Builds an escrow from a stack's state and configuration.
 *
 * @throws Problem if the stack of this state was never brought up
 */
export const escrowOf = ({ stack, cluster, state, configured, stackFile, passphrase, now }: Sources): Escrow => {
  const absent = (what: string): Problem =>
    new Problem(`The state of ${stack} holds no ${what}: deploy the stack first, then write the escrow`);
  const { machineSecrets, talosVersion } = (outputsOf(state, resourceTypes.machineSecrets) ?? {}) as {
    machineSecrets?: MachineSecrets;
    talosVersion?: string;
  };
  if (!machineSecrets || !talosVersion) throw absent("Talos machine secrets");
  const passwords = Object.fromEntries(
    ofType(state, resourceTypes.password).map((resource) => [
      nameOf(resource.urn),
      String(revealed(resource.outputs?.result)),
    ]),
  );
  const seed = (name: string): string => {
    const password = passwords[name];
    if (password === undefined) throw absent(name);
    return deriveSeed(password, name);
  };
  const ageSeed = configured.ageSeed ?? seed("age-seed");
  return {
    stack,
    cluster,
    createdAt: now.toISOString(),
    contract: talosVersion,
    talosSecrets: toBundle(machineSecrets),
    ageSeed,
    ageIdentity: identityOfSeed(ageSeed),
    deployKey: sshKeyPair(bytes(seed("deploy-key-seed")), `hearth-${cluster}`).privateKey,
    webhookToken: seed("webhook-token"),
    signingKey: signingKeys(seed(signingSeed)).stack.privateKey,
    ...(passwords[diskRecoverySeed] !== undefined && { diskRecoveryKey: seed(diskRecoverySeed) }),
    passwords,
    tunnels: tunnelSecrets(state),
    configured,
    stackFile,
    passphrase,
  };
};

/**
 * The tunnels of a state, by name. A tunnel's secret is the one that the password beside it gives, in the same component: after a
 * rotation has drawn it, and before the update that gives it to Cloudflare, the tunnel itself still has the old one.
 */
export const tunnelSecrets = (state: State): Escrow["tunnels"] =>
  Object.fromEntries(
    ofType(state, resourceTypes.tunnel).map((resource) => {
      const { accountId, tunnelSecret } = revealed(resource.inputs) as { accountId: string; tunnelSecret: string };
      const password = ofType(state, resourceTypes.password).find(
        ({ parent }) => parent !== undefined && parent === resource.parent,
      );
      const secret = password
        ? deriveSeed(String(revealed(password.outputs?.result)), nameOf(password.urn))
        : tunnelSecret;
      const id = resource.id ?? "";
      return [nameOf(resource.urn), { account: accountId, id, secret, token: connectorToken(accountId, id, secret) }];
    }),
  );

const bytes = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, "base64"));

interface ConfigValue {
  value?: string;
  objectValue?: unknown;
  secret: boolean;
}

/** Secrets of the stack's configuration in plain, by their key under `hearth:`. */
export const configuredSecrets = async (target: Target): Promise<Record<string, string>> => {
  const text = await target.engine.configure(["config", "--show-secrets", "--json"]);
  return Object.fromEntries(
    Object.entries(JSON.parse(text) as Record<string, ConfigValue>).flatMap(([key, { value, objectValue, secret }]) => {
      const name = /^hearth:(.+)$/.exec(key)?.[1];
      return secret && name !== undefined ? [[name, value ?? JSON.stringify(objectValue)]] : [];
    }),
  );
};

/** Collects the escrow of a stack from its engine. Nothing in plain reaches a disk. */
export const collect = async (target: Target, now = new Date()): Promise<Escrow> => {
  const passphrase = await target.passphrase();
  const { cluster } = await target.config();
  const state = await target.engine.state();
  const configured = await configuredSecrets(target);
  const stackFile = await readFile(target.stackFile, "utf8");
  return escrowOf({ stack: target.stack, cluster: cluster.name, state, configured, stackFile, passphrase, now });
};
