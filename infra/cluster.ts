import * as pulumi from "@pulumi/pulumi";
import * as talos from "@pulumi/talos";

import type { Machine } from "../components/machines/machine.ts";
import { tunnelOf } from "../components/network/facts.ts";
import { gatewayApiPatch } from "../components/network/gateway-api.ts";
import { registryCredentialDocuments, type TalosDocument } from "../components/talos/documents/index.ts";
import { TalosCluster } from "../components/talos/cluster.ts";
import { configuredIn, secretServiceDocuments, type ServiceSecrets } from "../components/talos/services.ts";
import type { HearthConfig } from "./config/index.ts";
import { prefixLength } from "./config/ipv4.ts";
import { parseRegistryCredentials, parseSecretPatches } from "./config/patches.ts";
import { parseServiceSecrets } from "./config/service-secrets.ts";
import type { ConfiguredSecrets } from "./configured-secrets.ts";

/** Creates a cluster from machines. */
export const formCluster = (
  config: HearthConfig,
  configured: Secrets,
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
): TalosCluster => {
  const { cluster, network, nodes } = config;
  return new TalosCluster(
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
      ...secretPatches(config, configured),
    },
    { provider },
  );
};

const firewallOf = ({ firewall, loadBalancerMode, encryption, gatewayApi }: HearthConfig["network"]) =>
  firewall && {
    ...firewall,
    tunnel: tunnelOf(loadBalancerMode),
    wireguard: encryption.type === "wireguard",
    gateways: gatewayApi !== undefined,
  };

type Secrets = Pick<ConfiguredSecrets, "machinePatches" | "registryCredentials" | "serviceSecrets">;

/** The patches that a person gave, the credentials for registries, and the secrets of services, which are patches too. */
const secretPatches = (config: HearthConfig, { machinePatches, registryCredentials, serviceSecrets }: Secrets) => {
  const hasServices = Object.values(config.images).some(({ services }) => configuredIn(services).length > 0);
  if (!machinePatches && !registryCredentials && !hasServices) return {};
  return {
    secretPatches: pulumi
      .all([machinePatches ?? {}, registryCredentials ?? {}, serviceSecrets])
      .apply(([patches, credentials, secrets]) => {
        const stack = pulumi.getStack();
        const { all, nodes, ...others } = parseSecretPatches(patches, stack);
        const documents = registryCredentialDocuments(parseRegistryCredentials(credentials, stack));
        const services = serviceDocuments(config, parseServiceSecrets(secrets, stack, config));
        return { ...others, all: [...documents, ...all], nodes: joined(services, nodes) };
      }),
  };
};

/** What is secret of the nodes' services, by the node's name. */
const serviceDocuments = ({ images, nodes }: HearthConfig, secrets: ServiceSecrets): Record<string, TalosDocument[]> =>
  mapValues(nodes, ({ image }, name) => secretServiceDocuments(images[image]?.services ?? {}, secrets, name));

const joined = (first: Record<string, TalosDocument[]>, then: Record<string, TalosDocument[]>) => ({
  ...then,
  ...mapValues(first, (documents, name) => [...documents, ...(then[name] ?? [])]),
});

const mapValues = <From, To>(
  values: Record<string, From>,
  map: (value: From, name: string) => To,
): Record<string, To> => Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value, name)]));
