import type {
  ApiServerSettings,
  FeatureSettings,
  InstallTarget,
  KernelModule,
  LinkSettings,
  NodeSettings,
  RegistryMirror,
  TalosDocument,
  VolumeSettings,
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
  /** Configuration contract: the Talos minor the cluster was created with. It never goes down. @example "v1.13" */
  contract: string;
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
