import { stringify } from "yaml";

import {
  hostnameDocument,
  linkAliasDocument,
  linkDocument,
  resolverDocument,
  timeSyncDocument,
  vipDocument,
  type TalosDocument,
} from "./documents.ts";

/** What a machine's configuration is rendered from, beyond the cluster's secrets. */
export interface MachineSettings {
  hostname: string;
  role: "controlplane" | "worker";
  address: string;
  mac: string;
  installDisk: string;
  installerImage: string;
  labels: Record<string, string>;
}

/** What all machines of a cluster have in common. */
export interface ClusterSettings {
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
  scheduleOnControlPlanes: boolean;
}

/** Renders the strategic merge patches of one machine, a YAML document each. */
export const machinePatches = (machine: MachineSettings, cluster: ClusterSettings): string[] =>
  machineDocuments(machine, cluster).map((document) => stringify(document, { lineWidth: 0 }));

/** The documents that a machine's generated configuration is patched with. */
export const machineDocuments = (machine: MachineSettings, cluster: ClusterSettings): TalosDocument[] => [
  { machine: machineSection(machine, cluster) },
  { cluster: machine.role === "controlplane" ? controlPlaneSection(machine, cluster) : networkSection(cluster) },
  hostnameDocument(machine.hostname),
  linkAliasDocument(machine.mac),
  linkDocument(machine.address, cluster.prefixLength, cluster.gateway),
  ...(machine.role === "controlplane" && cluster.vip ? [vipDocument(cluster.vip)] : []),
  resolverDocument(cluster.nameservers),
  timeSyncDocument(cluster.timeServers),
];

const machineSection = (machine: MachineSettings, cluster: ClusterSettings): TalosDocument => ({
  install: { disk: machine.installDisk, image: machine.installerImage, wipe: false },
  certSANs: unique([machine.address, machine.hostname, ...endpoints(cluster)]),
  kubelet: { nodeIP: { validSubnets: [cluster.subnet] } },
  ...(Object.keys(machine.labels).length > 0 && { nodeLabels: machine.labels }),
});

const networkSection = (cluster: ClusterSettings): TalosDocument => ({
  network: { cni: { name: "none" }, podSubnets: [cluster.podCidr], serviceSubnets: [cluster.serviceCidr] },
  proxy: { disabled: true },
});

const controlPlaneSection = (machine: MachineSettings, cluster: ClusterSettings): TalosDocument => ({
  ...networkSection(cluster),
  allowSchedulingOnControlPlanes: cluster.scheduleOnControlPlanes,
  apiServer: {
    certSANs: unique([...endpoints(cluster), machine.address]),
    admissionControl: [{ name: "PodSecurity", configuration: podSecurity }],
  },
});

/** Pods are held to the `restricted` standard. Talos itself exempts kube-system, and lists are merged by adding. */
const podSecurity = {
  apiVersion: "pod-security.admission.config.k8s.io/v1",
  kind: "PodSecurityConfiguration",
  defaults: {
    enforce: "restricted",
    "enforce-version": "latest",
    audit: "restricted",
    "audit-version": "latest",
    warn: "restricted",
    "warn-version": "latest",
  },
};

const endpoints = ({ vip, endpointHost }: ClusterSettings): string[] => [endpointHost, ...(vip ? [vip] : [])];

const unique = (values: string[]): string[] => [...new Set(values)];
