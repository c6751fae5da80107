import { clusterRuleNames } from "../../../components/talos/documents/firewall.ts";
import { topLink } from "../../../components/talos/documents/links.ts";
import { configuredIn } from "../../../components/talos/services.ts";
import type { ConfigurationProblem } from "../error.ts";
import type { Check, Draft } from "./check.ts";

type Patch = Record<string, unknown>;

interface Located {
  path: PropertyKey[];
  patch: Patch;
}

/** Every patch of the stack file, with its path. */
export const patchesOf = ({ cluster, nodes }: Draft): Located[] => [
  ...Object.entries(cluster?.patches ?? {}).flatMap(([group, patches]) =>
    patches.map((patch, index) => ({ path: ["cluster", "patches", group, index], patch })),
  ),
  ...Object.entries(nodes).flatMap(([name, { patches }]) =>
    patches.map((patch, index) => ({ path: ["nodes", name, "patches", index], patch })),
  ),
];

/** Fields of the document without a kind that conflict with what Hearth writes. */
const refused: { field: string[]; problem: string; advice: string }[] = [
  {
    // Source: siderolabs/talos v1.13.9, v1alpha1_validation.go. Contracts from v1.12 on set grubUseUKICmdline.
    field: ["machine", "install", "extraKernelArgs"],
    problem: "is refused by Talos: a machine takes its kernel arguments from its image",
    advice: "write them under images, in kernelArguments of the node's profile",
  },
  {
    // Source: siderolabs/talos v1.13.9, pkg/machinery/config/types/network/hostname.go.
    field: ["machine", "network", "hostname"],
    problem: "is refused by Talos beside the HostnameConfig that Hearth writes",
    advice: "remove it: a machine has the name that it has under nodes",
  },
  {
    field: ["machine", "network", "interfaces"],
    problem: "configures links that Hearth's LinkConfig documents configure too",
    advice: "use vlan, bond and mtu of the node, and a LinkConfig for a further link",
  },
  {
    // Source: siderolabs/talos v1.13.9, pkg/machinery/config/types/network/resolver.go.
    field: ["machine", "network", "nameservers"],
    problem: "is refused by Talos beside the ResolverConfig that Hearth writes",
    advice: "use network.nameservers",
  },
  ...["searchDomains", "disableSearchDomain"].map((key) => ({
    field: ["machine", "network", key],
    problem: "is refused by Talos beside the ResolverConfig that Hearth writes",
    advice: "use searchDomains of a ResolverConfig",
  })),
  ...["servers", "disabled", "bootTimeout"].map((key) => ({
    // Source: siderolabs/talos v1.13.9, pkg/machinery/config/types/network/time_sync.go.
    field: ["machine", "time", key],
    problem: "is refused by Talos beside the TimeSyncConfig that Hearth writes",
    advice: "use network.timeServers, or bootTimeout of a TimeSyncConfig",
  })),
  {
    field: ["cluster", "network", "cni"],
    problem: "is none, for Cilium is the network",
    advice: "remove it",
  },
  ...(["podSubnets", "serviceSubnets"] as const).map((key) => ({
    // Merging a patch appends to lists.
    field: ["cluster", "network", key],
    problem: "adds ranges to those that Hearth writes",
    advice: `use cluster.${key === "podSubnets" ? "podCidr" : "serviceCidr"}`,
  })),
];

/** Fields that Hearth has a key for, whose value a patch replaces. */
const overridden: { field: string[]; advice: string }[] = [
  { field: ["machine", "install", "disk"], advice: "use installDisk of the node" },
  { field: ["machine", "install", "diskSelector"], advice: "use diskSelector of the node" },
  { field: ["machine", "install", "image"], advice: "use image of the node and cluster.talos" },
  { field: ["machine", "sysctls"], advice: "use sysctls of the cluster or of the node" },
  { field: ["machine", "kernel", "modules"], advice: "use kernelModules of the node's image profile" },
  { field: ["machine", "kubelet", "extraConfig", "serverTLSBootstrap"], advice: "use cluster.kubeletCertificates" },
  {
    field: ["machine", "kubelet", "extraArgs", "rotate-server-certificates"],
    advice: "use cluster.kubeletCertificates",
  },
  { field: ["machine", "nodeLabels"], advice: "use labels of the node" },
  { field: ["machine", "nodeAnnotations"], advice: "use annotations of the node" },
  { field: ["machine", "nodeTaints"], advice: "use taints of the node, with which a worker registers" },
  { field: ["machine", "systemDiskEncryption"], advice: "use diskEncryption of the cluster or of the node" },
  { field: ["cluster", "allowSchedulingOnControlPlanes"], advice: "use cluster.scheduleOnControlPlanes" },
  { field: ["cluster", "discovery", "enabled"], advice: "use cluster.discovery" },
];

/** Returns the value at a path, or undefined if there is none. */
export const at = (value: unknown, path: string[]): unknown =>
  path.reduce<unknown>(
    (inner, step) => (typeof inner === "object" && inner !== null ? (inner as Patch)[step] : undefined),
    value,
  );

const fieldsBesideDocuments: Check = (draft) =>
  patchesOf(draft).flatMap(({ path, patch }) =>
    refused
      .filter(({ field }) => at(patch, field) !== undefined)
      .map(({ field, problem, advice }) => ({ path: [...path, ...field], problem, advice })),
  );

const fieldsWithKeys: Check = (draft) =>
  patchesOf(draft).flatMap(({ path, patch }) =>
    overridden
      .filter(({ field }) => at(patch, field) !== undefined)
      .map(({ field, advice }) => ({
        path: [...path, ...field],
        problem: "is a setting that Hearth has a key for, and its checks do not see it here",
        advice,
        warning: true,
      })),
  );

/** Kinds that a machine has only one document of, and the field of it that Hearth writes; without one, it is all of it. */
const alone: Record<string, { field?: string; advice: string } | undefined> = {
  HostnameConfig: { advice: "remove it: a machine has the name that it has under nodes" },
  ResolverConfig: { field: "nameservers", advice: "use network.nameservers" },
  TimeSyncConfig: { field: "ntp", advice: "use network.timeServers" },
};

/** Kinds that a machine may have several documents of, and the names that Hearth uses. */
const named: Record<string, { isHearths: (name: string) => boolean; advice: string }> = {
  LinkAliasConfig: { isHearths: (name) => /^net\d+$/.test(name), advice: "use another name; net0 is the node's mac" },
  LinkConfig: { isHearths: (name) => name === "net0", advice: "use vlan, bond, mtu and dhcp of the node" },
  BondConfig: { isHearths: (name) => name === "bond0", advice: "use bond of the node" },
  VolumeConfig: {
    isHearths: (name) => name === "STATE" || name === "EPHEMERAL",
    advice: "use ephemeral and diskEncryption of the node",
  },
};

/** Kinds whose documents the configuration names. */
const configuredNames = ({
  cluster,
  images,
  network,
  nodes,
}: Draft): Record<string, { names: string[]; advice: string } | undefined> => ({
  UserVolumeConfig: {
    names: Object.values(nodes).flatMap(({ volumes }) => Object.keys(volumes)),
    advice: "use volumes of the node",
  },
  RegistryMirrorConfig: {
    names: Object.keys(cluster?.registryMirrors ?? {}),
    advice: "use cluster.registryMirrors",
  },
  VLANConfig: {
    names: Object.values(nodes).flatMap((node) => (node.vlan === undefined ? [] : topLink(node))),
    advice: "use vlan of the node",
  },
  DHCPv4Config: { names: Object.values(nodes).map(topLink), advice: "use dhcp of the node" },
  TrustedRootsConfig: { names: Object.keys(cluster?.trustedRoots ?? {}), advice: "use cluster.trustedRoots" },
  StaticHostConfig: { names: Object.keys(cluster?.staticHosts ?? {}), advice: "use cluster.staticHosts" },
  KmsgLogConfig: {
    names: Object.keys(cluster?.kernelLogDestinations ?? {}),
    advice: "use cluster.kernelLogDestinations",
  },
  ExtensionServiceConfig: {
    names: Object.values(images ?? {}).flatMap(({ services }) => configuredIn(services)),
    advice: "use services of the image profile",
  },
  NetworkRuleConfig: {
    names: network?.firewall ? [...clusterRuleNames, ...Object.keys(network.firewall.rules)] : [],
    advice: "use network.firewall.rules, or another name",
  },
  Layer2VIPConfig: { names: cluster?.vip ? [cluster.vip] : [], advice: "use cluster.vip" },
});

/** Talos silently merges documents of the same kind and name. */
const documentsOfHearth: Check = (draft) =>
  patchesOf(draft).flatMap(({ path, patch }): ConfigurationProblem[] => {
    const { kind, name } = patch;
    if (typeof kind !== "string") return [];
    const own = configuredNames(draft)[kind];
    const single = alone[kind];
    const isWritten = single !== undefined && (single.field === undefined || patch[single.field] !== undefined);
    const advice =
      (isWritten ? single.advice : undefined) ??
      (named[kind]?.isHearths(String(name)) ? named[kind].advice : undefined) ??
      (own?.names.includes(String(name)) ? own.advice : undefined);
    if (advice === undefined) return [];
    const what = kind in alone ? kind : `${kind} ${String(name)}`;
    const problem = `${what} is a document that Hearth writes, and Talos would merge both`;
    return [{ path, problem, advice, ...(kind !== "HostnameConfig" && { warning: true }) }];
  });

export const patchChecks: Check[] = [fieldsBesideDocuments, fieldsWithKeys, documentsOfHearth];
