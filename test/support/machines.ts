import type { MachineFacts } from "../../components/machines/machine.ts";
import type { ClusterSettings, MachineSettings } from "../../components/talos/machine-config.ts";

/** Facts of a plain control plane. */
export const machineFacts = (changes: Partial<MachineFacts> = {}): MachineFacts => ({
  role: "controlplane",
  address: "10.20.0.11",
  link: { mac: "BC:24:11:20:00:11", dhcp: false },
  install: { disk: "/dev/sda" },
  schematic: "ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515",
  secureBoot: false,
  factory: "https://factory.talos.dev",
  encryption: "none",
  volumes: {},
  kernelModules: [],
  sysctls: {},
  labels: {},
  annotations: {},
  taints: {},
  patches: [],
  ...changes,
});

/** Settings of a plain control plane. */
export const machineSettings = (changes: Partial<MachineSettings> = {}): MachineSettings => ({
  ...machineFacts(),
  hostname: "den-dev-cp01",
  installerImage: "factory.talos.dev/nocloud-installer/abc:v1.13.9",
  ...changes,
});

/** Settings of a plain cluster. */
export const clusterSettings = (changes: Partial<ClusterSettings> = {}): ClusterSettings => ({
  contract: "v1.13",
  endpointHost: "10.20.0.10",
  vip: "10.20.0.10",
  podCidr: "10.244.0.0/16",
  serviceCidr: "10.96.0.0/12",
  subnet: "10.20.0.0/24",
  prefixLength: 24,
  gateway: "10.20.0.1",
  nameservers: ["10.20.0.1"],
  timeServers: ["time.cloudflare.com"],
  certSANs: [],
  scheduleOnControlPlanes: false,
  podSecurity: { level: "restricted", exemptNamespaces: [] },
  discovery: true,
  forwardDnsToHost: false,
  talosApiAccess: undefined,
  registryMirrors: {},
  sysctls: {},
  patches: { all: [], controlPlanes: [], workers: [] },
  ...changes,
});
