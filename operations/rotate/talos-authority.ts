import type { ClientConfiguration } from "@pulumi/talos";

import type { BundleCertificate } from "../../components/talos/secrets-bundle.ts";
import { clientOfSecrets } from "../../lib/cluster/talosctl.ts";
import { giveAuthority, type Cluster, type GivenAuthority } from "./given-authority.ts";
import { withClusterAuthority } from "./machine-secrets.ts";
import { commitStep, deployCommand, type Rotation } from "./rotation.ts";

/** The authority of the Talos API. */
export const talosAuthority: Rotation = {
  name: "talos-authority",
  what: "the authority that signs the certificates of the Talos API, and of whoever administers the machines",
  interrupts:
    "Nothing that runs in the cluster. The Talos API of a machine closes its connections at each of three steps; every talosconfig of before stops working.",
  rotate: async (surroundings) => {
    const { target } = surroundings;
    const { resumed, escrow } = await giveAuthority(surroundings, "talos-authority", authority);
    return {
      resumed,
      said: [`Every machine of ${target.stack} has another Talos authority, and so has the state`],
      left: [
        ...commitStep(target, escrow, `Pulumi.${target.stack}.yaml`),
        `${deployCommand(target)}   renders what the machines have`,
        "replace every talosconfig: pulumi stack output --show-secrets talosconfig prints the new one",
      ],
      escrow,
    };
  },
};

const authority: GivenAuthority = {
  name: "os",
  place: { issuing: ["machine", "ca"], accepted: ["machine", "acceptedCAs"] },
  isOfControlPlanes: false,
  clients: async (cluster, { from, next }) => {
    const { secrets } = cluster;
    if (from === undefined || next === undefined) return [secrets.client];
    // Machines show certificates of either authority.
    const caCertificate = both(from, next.crt);
    return [secrets.client, await administratorOf(cluster, next)].map((each) => ({ ...each, caCertificate }));
  },
  way: async ({ next, ...cluster }) => {
    const client = await administratorOf(cluster, next);
    return { record: (state) => withClusterAuthority(state, "os", next, client) };
  },
};

/** An administrator's certificate of another authority. */
const administratorOf = (
  { talosctl, config, secrets: { bundle, contract } }: Cluster,
  os: BundleCertificate,
): Promise<ClientConfiguration> => {
  const talosSecrets = { ...bundle, certs: { ...bundle.certs, os } };
  return clientOfSecrets(talosctl, { contract, talosSecrets, passwords: {} }, config.cluster);
};

/** Two certificates in one file, base64 as each of them. */
export const both = (...certificates: string[]): string =>
  Buffer.from(certificates.map((each) => Buffer.from(each, "base64").toString().trimEnd()).join("\n") + "\n").toString(
    "base64",
  );
