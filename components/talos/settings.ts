import type {
  ApiServerSettings,
  FeatureSettings,
  Firewall,
  InstallTarget,
  KubeletCertificates,
  KernelModule,
  LinkSettings,
  LogDestination,
  NodeSettings,
  RegistryMirror,
  Surroundings,
  TalosDocument,
  VolumeSettings,
  Watchdog,
} from "./documents/index.ts";
import type { Services } from "./services.ts";

/** The settings that a machine's configuration is rendered from, beside the cluster's secrets. */
export interface MachineSettings extends NodeSettings, VolumeSettings {
  hostname: string;
  role: Role;
  address: string;
  /** IPv6 address, in a cluster of both families. */
  address6?: string | undefined;
  link: LinkSettings;
  install: InstallTarget;
  installerImage: string;
  kernelModules: KernelModule[];
  /** Settings of the services that extensions bring. @default none */
  services?: Services | undefined;
  sysctls: Record<string, string>;
  /** Free-form patches for this machine only. */
  patches: TalosDocument[];
}

export type Role = "controlplane" | "worker";

/** The settings that all machines of a cluster share. */
export interface ClusterSettings extends ApiServerSettings, FeatureSettings, Surroundings {
  /** Configuration contract: the Talos minor that the cluster was created with. It never changes. @example "v1.13" */
  contract: string;
  /** Host of the cluster endpoint. */
  endpointHost: string;
  vip: string | undefined;
  podCidr: string;
  serviceCidr: string;
  /** The IPv6 side of a cluster of both families. */
  ipv6?: Ipv6Settings | undefined;
  subnet: string;
  prefixLength: number;
  gateway: string;
  nameservers: string[];
  timeServers: string[];
  /** Additional names and addresses for the certificates of the Talos and Kubernetes APIs. */
  certSANs: string[];
  scheduleOnControlPlanes: boolean;
  /** @default "self" */
  kubeletCertificates?: KubeletCertificates | undefined;
  /** Whether machines find each other through Talos's discovery service on the Internet, which sees encrypted data only. */
  discovery: boolean;
  /** Mirrors by registry, such as `docker.io`. */
  registryMirrors: Record<string, RegistryMirror>;
  /** Where machines send the logs of Talos's services. */
  logDestinations?: LogDestination[] | undefined;
  /** Where machines send the kernel's log, by a name. */
  kernelLogDestinations?: Record<string, string> | undefined;
  watchdog?: Watchdog | undefined;
  /** What machines let in. @default everything */
  firewall?: Firewall | undefined;
  sysctls: Record<string, string>;
  patches: FreeFormPatches;
}

/** The IPv6 side of a cluster. */
export interface Ipv6Settings {
  podCidr: string;
  serviceCidr: string;
  /** Subnet of the nodes' addresses. */
  subnet: string;
  vip?: string | undefined;
}

/** Free-form patches, for Talos settings that Hearth has no key for. */
export interface FreeFormPatches {
  all: TalosDocument[];
  controlPlanes: TalosDocument[];
  workers: TalosDocument[];
}
