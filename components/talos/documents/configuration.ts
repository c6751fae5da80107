import { serviceDocuments } from "../services.ts";
import type { ClusterSettings, MachineSettings } from "../settings.ts";
import { apiServerSection } from "./api-server.ts";
import type { TalosDocument } from "./document.ts";
import { featuresSection } from "./features.ts";
import { firewallDocuments, type FirewallRanges } from "./firewall.ts";
import { hostnameDocument } from "./hostname.ts";
import { installSection } from "./install.ts";
import { kernelSection } from "./kernel.ts";
import { linkDocuments, vipDocument } from "./links.ts";
import { resolverDocument, timeSyncDocument } from "./network.ts";
import { kernelLogDocuments, loggingSection } from "./logs.ts";
import { nodeSection } from "./node.ts";
import { registryMirrorDocuments } from "./registries.ts";
import { surroundingsDocuments } from "./surroundings.ts";
import { volumeDocuments } from "./volumes.ts";
import { watchdogDocument } from "./watchdog.ts";

/**
 * Renders the patches for a configuration of contract v1.12 or v1.13, in this order.
 *
 * The documents that every machine has come first. So an option that adds a document does not move the others in a preview.
 */
export const configurationDocuments = (machine: MachineSettings, cluster: ClusterSettings): TalosDocument[] => [
  { machine: machineSection(machine, cluster) },
  { cluster: machine.role === "controlplane" ? controlPlaneSection(machine, cluster) : clusterSection(cluster) },
  hostnameDocument(machine.hostname),
  resolverDocument(cluster.nameservers),
  timeSyncDocument(cluster.timeServers),
  ...linkDocuments(machine.link, { ...cluster, address: machine.address }),
  ...(machine.role === "controlplane" ? vips(cluster).map((vip) => vipDocument(vip, machine.link)) : []),
  ...volumeDocuments(machine),
  ...registryMirrorDocuments(cluster.registryMirrors),
  ...surroundingsDocuments(cluster),
  ...kernelLogDocuments(cluster.kernelLogDestinations),
  ...(cluster.watchdog ? [watchdogDocument(cluster.watchdog)] : []),
  ...serviceDocuments(machine.services ?? {}, machine.hostname),
  ...(cluster.firewall ? firewallDocuments(cluster.firewall, rangesOf(cluster), machine.role) : []),
];

const machineSection = (machine: MachineSettings, cluster: ClusterSettings): TalosDocument => ({
  ...installSection(machine.install, machine.installerImage),
  certSANs: unique([...addresses(machine), machine.hostname, ...endpoints(cluster)]),
  ...nodeSection(machine, {
    subnets: rangesOf(cluster).nodes,
    isControlPlane: machine.role === "controlplane",
    carriesTraffic: machine.role === "controlplane" && cluster.scheduleOnControlPlanes,
    kubeletCertificates: cluster.kubeletCertificates,
  }),
  ...featuresSection(cluster, machine.role === "controlplane"),
  ...loggingSection(cluster.logDestinations),
  ...kernelSection(machine.kernelModules, { ...cluster.sysctls, ...machine.sysctls }),
});

/** Cilium is the CNI and replaces kube-proxy. */
const clusterSection = (cluster: ClusterSettings): TalosDocument => ({
  network: {
    cni: { name: "none" },
    // The first family is that of Services which ask for none.
    podSubnets: rangesOf(cluster).pods,
    serviceSubnets: [cluster.serviceCidr, ...(cluster.ipv6 ? [cluster.ipv6.serviceCidr] : [])],
  },
  proxy: { disabled: true },
  discovery: { enabled: cluster.discovery },
});

const controlPlaneSection = (machine: MachineSettings, cluster: ClusterSettings): TalosDocument => ({
  ...clusterSection(cluster),
  allowSchedulingOnControlPlanes: cluster.scheduleOnControlPlanes,
  etcd: { advertisedSubnets: [cluster.subnet] },
  ...apiServerSection(cluster, unique([...endpoints(cluster), ...addresses(machine)])),
});

/** The ranges of nodes and pods, IPv4 first. */
const rangesOf = ({ subnet, podCidr, ipv6 }: ClusterSettings): FirewallRanges => ({
  nodes: [subnet, ...(ipv6 ? [ipv6.subnet] : [])],
  pods: [podCidr, ...(ipv6 ? [ipv6.podCidr] : [])],
});

const addresses = ({ address, address6 }: MachineSettings): string[] => [address, ...(address6 ? [address6] : [])];

const vips = ({ vip, ipv6 }: ClusterSettings): string[] => [...(vip ? [vip] : []), ...(ipv6?.vip ? [ipv6.vip] : [])];

const endpoints = (cluster: ClusterSettings): string[] => [cluster.endpointHost, ...vips(cluster), ...cluster.certSANs];

const unique = (values: string[]): string[] => [...new Set(values)];
