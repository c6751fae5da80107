import { stringify } from "yaml";

import {
  apiServerSection,
  featuresSection,
  hostnameDocument,
  installSection,
  kernelSection,
  linkDocuments,
  nodeSection,
  registryMirrorDocuments,
  resolverDocument,
  timeSyncDocument,
  vipDocument,
  volumeDocuments,
  type ApiServerSettings,
  type FeatureSettings,
  type InstallTarget,
  type KernelModule,
  type LinkSettings,
  type NodeSettings,
  type RegistryMirror,
  type TalosDocument,
  type VolumeSettings,
} from "./documents/index.ts";

/** What a machine's configuration is rendered from, beyond the cluster's secrets. */
export interface MachineSettings extends NodeSettings, VolumeSettings {
  hostname: string;
  role: Role;
  address: string;
  link: LinkSettings;
  install: InstallTarget;
  installerImage: string;
  kernelModules: KernelModule[];
  sysctls: Record<string, string>;
  /** Free-form patches of this machine alone. */
  patches: TalosDocument[];
}

export type Role = "controlplane" | "worker";

/** What all machines of a cluster have in common. */
export interface ClusterSettings extends ApiServerSettings, FeatureSettings {
  /** Host of the cluster endpoint. */
  endpointHost: string;
  vip: string | undefined;
  podCidr: string;
  serviceCidr: string;
  subnet: string;
  prefixLength: number;
  gateway: string;
  nameservers: string[];
  timeServers: string[];
  /** Further names and addresses that the APIs of Talos and Kubernetes are called by. */
  certSANs: string[];
  scheduleOnControlPlanes: boolean;
  /** Machines find each other through Talos's discovery service on the Internet. It sees only what is encrypted. */
  discovery: boolean;
  /** By registry, such as `docker.io`. */
  registryMirrors: Record<string, RegistryMirror>;
  sysctls: Record<string, string>;
  patches: FreeFormPatches;
}

/** Patches beyond what is typed, for what Talos can do and Hearth has no word for. */
export interface FreeFormPatches {
  all: TalosDocument[];
  controlPlanes: TalosDocument[];
  workers: TalosDocument[];
}

/** Renders the strategic merge patches of one machine, a YAML document each. */
export const machinePatches = (machine: MachineSettings, cluster: ClusterSettings): string[] =>
  machineDocuments(machine, cluster).map(patchText);

/** A patch as Talos reads it. */
export const patchText = (document: TalosDocument): string => stringify(document, { lineWidth: 0 });

/**
 * The documents that a machine's generated configuration is patched with, in this order.
 *
 * What every machine has comes first, so that an option added to one moves no other's place in a preview.
 */
export const machineDocuments = (machine: MachineSettings, cluster: ClusterSettings): TalosDocument[] => [
  { machine: machineSection(machine, cluster) },
  { cluster: machine.role === "controlplane" ? controlPlaneSection(machine, cluster) : clusterSection(cluster) },
  hostnameDocument(machine.hostname),
  resolverDocument(cluster.nameservers),
  timeSyncDocument(cluster.timeServers),
  ...linkDocuments(machine.link, { ...cluster, address: machine.address }),
  ...(machine.role === "controlplane" && cluster.vip ? [vipDocument(cluster.vip, machine.link)] : []),
  ...volumeDocuments(machine),
  ...registryMirrorDocuments(cluster.registryMirrors),
  ...freeFormPatches(machine, cluster),
];

const machineSection = (machine: MachineSettings, cluster: ClusterSettings): TalosDocument => ({
  ...installSection(machine.install, machine.installerImage),
  certSANs: unique([machine.address, machine.hostname, ...endpoints(cluster)]),
  ...nodeSection(machine, cluster.subnet, machine.role === "controlplane" && cluster.scheduleOnControlPlanes),
  ...featuresSection(cluster, machine.role === "controlplane"),
  ...kernelSection(machine.kernelModules, { ...cluster.sysctls, ...machine.sysctls }),
});

/** Cilium is both the CNI and kube-proxy. */
const clusterSection = (cluster: ClusterSettings): TalosDocument => ({
  network: { cni: { name: "none" }, podSubnets: [cluster.podCidr], serviceSubnets: [cluster.serviceCidr] },
  proxy: { disabled: true },
  discovery: { enabled: cluster.discovery },
});

const controlPlaneSection = (machine: MachineSettings, cluster: ClusterSettings): TalosDocument => ({
  ...clusterSection(cluster),
  allowSchedulingOnControlPlanes: cluster.scheduleOnControlPlanes,
  etcd: { advertisedSubnets: [cluster.subnet] },
  ...apiServerSection(cluster, unique([...endpoints(cluster), machine.address])),
});

const freeFormPatches = ({ role, patches }: MachineSettings, cluster: ClusterSettings): TalosDocument[] => [
  ...cluster.patches.all,
  ...(role === "controlplane" ? cluster.patches.controlPlanes : cluster.patches.workers),
  ...patches,
];

const endpoints = ({ vip, endpointHost, certSANs }: ClusterSettings): string[] => [
  endpointHost,
  ...(vip ? [vip] : []),
  ...certSANs,
];

const unique = (values: string[]): string[] => [...new Set(values)];
