import { readFileSync } from "node:fs";
import { join } from "node:path";

import * as pulumi from "@pulumi/pulumi";

import { Escrow } from "../components/secrets/escrow.ts";
import type { RootSecrets } from "../components/secrets/root-secrets.ts";
import type { TalosCluster } from "../components/talos/cluster.ts";
import type { HearthConfig } from "./config/index.ts";
import type { ConfiguredSecrets } from "./configured-secrets.ts";
import type { Edge } from "./edge.ts";
import { escrowRecipients, escrowPath } from "./escrow-file.ts";

const repositoryRoot = join(import.meta.dirname, "..");

/** Records in the state which root secrets the escrow has to hold. */
export const recordEscrow = (
  config: HearthConfig,
  configured: ConfiguredSecrets,
  { cluster, secrets, edge }: { cluster: TalosCluster; secrets: RootSecrets; edge: Edge | undefined },
): Escrow => {
  const path = escrowPath(config, pulumi.getStack());
  return new Escrow("escrow", {
    values: {
      cluster: config.cluster.name,
      talos: cluster.machineSecrets,
      ageIdentity: secrets.ageIdentity,
      deployKey: secrets.deployKey,
      webhookToken: secrets.webhookToken,
      signingKey: secrets.signingKeys.stack.privateKey,
      diskRecoveryKey: secrets.diskRecoveryKey,
      tunnels: tunnelTokens(config, edge),
      configured: { ...configured },
    },
    file: textOf(path),
    path,
    recipients: escrowRecipients(config),
    signers: { actual: secrets.signers, named: config.escrow?.signers },
  });
};

const tunnelTokens = ({ cluster }: HearthConfig, edge: Edge | undefined): Record<string, pulumi.Output<string>> =>
  edge
    ? {
        ...(edge.tunnel && { [cluster.name]: edge.tunnel.token }),
        ...Object.fromEntries(Object.entries(edge.others).map(([name, { token }]) => [name, token])),
      }
    : {};

const textOf = (path: string): string | undefined => {
  try {
    return readFileSync(join(repositoryRoot, path), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    // A file that exists but cannot be read is reported as damaged.
    return "";
  }
};
