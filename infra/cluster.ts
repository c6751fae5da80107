import * as pulumi from "@pulumi/pulumi";
import * as talos from "@pulumi/talos";

import type { Machine } from "../components/machines/machine.ts";
import { tunnelOf } from "../components/network/facts.ts";
import { gatewayApiPatch } from "../components/network/gateway-api.ts";
import { registryCredentialDocuments } from "../components/talos/documents/index.ts";
import { TalosCluster } from "../components/talos/cluster.ts";
import type { HearthConfig } from "./config/index.ts";
import { prefixLength } from "./config/ipv4.ts";
import { parseRegistryCredentials, parseSecretPatches } from "./config/patches.ts";
import type { ConfiguredSecrets } from "./configured-secrets.ts";

/** Creates a cluster from machines. */
export const formCluster = (
  { cluster, network, nodes }: HearthConfig,
  configured: Pick<ConfiguredSecrets, "machinePatches" | "registryCredentials">,
  machines: Record<string, Machine>,
  {
    provider,
    imageProfiles,
    diskRecoveryKey,
  }: {
    provider: talos.Provider;
    imageProfiles: pulumi.Input<pulumi.Resource>[];
    diskRecoveryKey: pulumi.Output<string>;
  },
): TalosCluster =>
  new TalosCluster(
    "talos",
    {
      ...cluster,
      ...network,
      vip: cluster.vip,
      talosApiAccess: cluster.talosApiAccess,
      machines,
      imageProfiles,
      diskRecoveryKey: cluster.diskRecoveryKey ? diskRecoveryKey : undefined,
      firewall: firewallOf(network),
      patches: {
        ...cluster.patches,
        controlPlanes: [
          ...(network.gatewayApi ? [gatewayApiPatch(network.gatewayApi)] : []),
          ...cluster.patches.controlPlanes,
        ],
      },
      prefixLength: prefixLength(network.subnet),
      scheduleOnControlPlanes:
        cluster.scheduleOnControlPlanes ?? Object.values(nodes).every(({ role }) => role === "controlplane"),
      ...secretPatches(configured),
    },
    { provider },
  );

const firewallOf = ({ firewall, loadBalancerMode, encryption, gatewayApi }: HearthConfig["network"]) =>
  firewall && {
    ...firewall,
    tunnel: tunnelOf(loadBalancerMode),
    wireguard: encryption.type === "wireguard",
    gateways: gatewayApi !== undefined,
  };

/** The patches that a person gave, and the credentials for registries, which are patches too. */
const secretPatches = ({
  machinePatches,
  registryCredentials,
}: Pick<ConfiguredSecrets, "machinePatches" | "registryCredentials">) =>
  machinePatches || registryCredentials
    ? {
        secretPatches: pulumi.all([machinePatches ?? {}, registryCredentials ?? {}]).apply(([patches, credentials]) => {
          const stack = pulumi.getStack();
          const { all, ...others } = parseSecretPatches(patches, stack);
          const documents = registryCredentialDocuments(parseRegistryCredentials(credentials, stack));
          return { ...others, all: [...documents, ...all] };
        }),
      }
    : {};
