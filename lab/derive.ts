import { createHash } from "node:crypto";
import { isPlaceholder } from "../components/secrets/known-recipients.ts";
import { schematicId, type Overlay } from "../components/talos/schematic.ts";
import { expandPools } from "../infra/config/expand-pools.ts";
import { platforms, type PlatformName } from "../infra/platforms/index.ts";
import { Problem } from "../toolchain/problem.ts";
import type { Credentials } from "./credentials.ts";
import { labRollout } from "./rollout-health.ts";
import type { Bucket, LabChart, LabConfig, Machine } from "./lab-config.ts";

/**
 * The part of a committed stack configuration that the lab reads. Keys that it does not name stay unchanged.
 *
 * The lab changes only this in the committed configuration:
 *
 * | committed                                              | in the lab                                               |
 * | ------------------------------------------------------ | -------------------------------------------------------- |
 * | addresses in `cluster`, `network`, `nodes`, `proxmox`  | the same with 127 as their first octet                   |
 * | `cluster.podCidr`, `cluster.serviceCidr`               | unchanged                                                |
 * | a name in `cluster.endpoint` or `proxmox.endpoint`     | the VIP's address, an address of the lab                 |
 * | `proxmox.ca`, `proxmox.fingerprint`                    | skipped: the lab's authority is trusted                  |
 * | `gitops.repository`, `gitops.knownHosts`               | the lab's Git server and its host key                    |
 * | `escrow`                                               | in the lab's folder, for the lab's key as well, no KMS   |
 * | placeholders of `escrow.recipients`                    | skipped                                                  |
 * | `escrow.signers`                                       | the lab's own, as soon as its escrow is written          |
 * | `proxmox.affinity`, `proxmox.hugepages` of a node      | skipped: only root@pam itself may set them               |
 * | `pools`                                                | each of their nodes by itself                            |
 * | `rollout.health`                                       | without what no controller of the lab establishes        |
 * | secrets                                                | the lab's own, where the stack needs them; a known age   |
 * |                                                        | seed; no others, such as `machinePatches`                |
 */
export interface StackConfig {
  "hearth:cluster": {
    endpoint: string;
    vip?: string;
    talos: string;
    podCidr: string;
    serviceCidr: string;
    secureBoot?: boolean;
  };
  "hearth:network": { subnet: string; announce?: { authentication?: string } };
  "hearth:nodes": Record<string, NodeConfig>;
  "hearth:pools"?: Record<string, unknown>;
  "hearth:images": Record<
    string,
    | {
        extensions?: string[];
        kernelArguments?: string[];
        wellKnownCertificates?: boolean;
        overlay?: Overlay;
        services?: object;
      }
    | undefined
  >;
  "hearth:proxmox"?: ProxmoxConfig;
  "hearth:cloudflare"?: { account: string; zone: { id: string; name: string } };
  "hearth:gitops": { engine?: string; repository: string; branch: string; path: string; knownHosts: string };
  "hearth:escrow"?: { recipients: string[]; copies?: unknown[] };
  [key: string]: unknown;
}

interface NodeConfig {
  platform: string;
  address: string;
  mac: string;
  image: string;
  installDisk?: string;
  secureBoot?: boolean;
  proxmox?: {
    host: string;
    imageDatastore?: string;
    diskDatastore?: string;
    extraDisks?: { datastore?: string }[];
    bridge?: string;
  };
}

interface ProxmoxConfig {
  endpoint: string;
  imageDatastore: string;
  diskDatastore: string;
  bridge: string;
  hosts?: string[];
}

/**
 * Where the lab's own services listen, as host:port. The lab uses Proxmox's only if the committed endpoint is a name.
 */
export type ServiceAddresses = Record<
  "supervisor" | "proxy" | "registry" | "cloudflare" | "git" | "proxmox" | "bucket",
  string
>;

const literal = /(?<![\d.])(\d{1,3})((?:\.\d{1,3}){3})(?![\d.])/g;

/** Moves an address, or every address in a text, to the lab: its first octet becomes 127. */
export const toLoopback = (text: string): string => text.replace(literal, (_, __, rest: string) => `127${rest}`);

const hasAddress = (text: string): boolean => new RegExp(literal.source).test(text);

/** Addresses of the lab's services. Their third octet is opposite to the subnet's, so that stacks do not collide. */
export const serviceAddresses = (config: StackConfig): ServiceAddresses => {
  const [, second = "0", third = "0"] = config["hearth:network"].subnet.split(/[./]/);
  const host = (last: number): string => `127.${second}.${String(255 - Number(third))}.${String(last)}`;
  return {
    supervisor: `${host(1)}:7700`,
    proxy: `${host(2)}:3128`,
    registry: `${host(3)}:5443`,
    cloudflare: `${host(4)}:8443`,
    git: `${host(5)}:2222`,
    proxmox: `${host(6)}:8006`,
    bucket: `${host(7)}:9443`,
  };
};

const mapStrings = (value: unknown, change: (text: string) => string): unknown => {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return value.map((each) => mapStrings(each, change));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mapStrings(each, change)]));
};

/** What the lab itself contributes to the stack configuration. */
export interface LabFacts {
  stack: string;
  /** The known_hosts line of the lab's Git server. */
  knownHosts: string;
  /** Recipient of the lab's age identity. */
  recipient: string;
  /** Who signs the lab's backups, as its escrow was written with. */
  signers?: unknown;
}

/** Derives the lab's stack configuration from the committed one. Pure. Secrets are not part of it. */
export const deriveStack = (written: StackConfig, facts: LabFacts): StackConfig => {
  const committed = withoutSecrets(withoutPools(written));
  const { knownHosts } = facts;
  refuseCollisions(committed);
  const services = serviceAddresses(committed);
  const cluster = committed["hearth:cluster"];
  const proxmox = committed["hearth:proxmox"];
  const mapped = <T>(value: T): T => mapStrings(value, toLoopback) as T;
  return {
    ...committed,
    "hearth:cluster": {
      ...mapped(cluster),
      podCidr: cluster.podCidr,
      serviceCidr: cluster.serviceCidr,
      endpoint: clusterEndpoint(cluster),
    },
    "hearth:network": mapped(committed["hearth:network"]),
    "hearth:nodes": withoutRootOptions(mapped(committed["hearth:nodes"])),
    ...(proxmox && {
      "hearth:proxmox": {
        ...without(mapped(proxmox), realCertificates),
        endpoint: `https://${proxmoxAddress(proxmox, services)}`,
      },
    }),
    "hearth:rollout": labRollout(committed["hearth:rollout"]),
    "hearth:gitops": {
      ...committed["hearth:gitops"],
      repository: `ssh://git@${services.git}/hearth.git`,
      knownHosts,
    },
    ...(committed["hearth:escrow"] && { "hearth:escrow": labEscrow(committed["hearth:escrow"], facts) }),
  };
};

/** Whether a value of a stack file is encrypted. */
export const isSecret = (value: unknown): boolean => typeof value === "object" && value !== null && "secure" in value;

/** Only the stack's own passphrase opens its secrets, and the lab has no use for credentials of what is real. */
const withoutSecrets = (config: StackConfig): StackConfig =>
  Object.fromEntries(Object.entries(config).filter(([, value]) => !isSecret(value))) as StackConfig;

/** Writes each node of a pool by itself. Pure. */
export const withoutPools = ({ "hearth:pools": pools, ...config }: StackConfig): StackConfig => {
  const { raw } = expandPools({ nodes: config["hearth:nodes"], pools }, platforms);
  return { ...config, "hearth:nodes": (raw as { nodes: StackConfig["hearth:nodes"] }).nodes };
};

/** They say which certificate the real Proxmox has. */
const realCertificates = ["ca", "fingerprint"];

/** Only root@pam may set these options of a machine, and the lab's stack signs in with a token. */
const rootOptions = ["affinity", "hugepages"];

const withoutRootOptions = (nodes: StackConfig["hearth:nodes"]): StackConfig["hearth:nodes"] =>
  Object.fromEntries(
    Object.entries(nodes).map(([name, { proxmox, ...node }]) => [
      name,
      proxmox ? { ...node, proxmox: without(proxmox, rootOptions) } : node,
    ]),
  );

const without = <T extends object>(value: T, keys: readonly string[]): T =>
  Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key))) as T;

/** The lab's escrow stays in the lab: no copy leaves it, and it uses no KMS. */
const labEscrow = (
  { recipients, copies = [] }: { recipients: string[]; copies?: unknown[] },
  { stack, recipient, signers }: LabFacts,
) => ({
  recipients: [...new Set([recipient, ...recipients.filter((each) => !isPlaceholder(each))])],
  path: `.lab/${stack}/escrow.sops.yaml`,
  copies: copies.map((_, index) => ({ to: "folder", path: `.lab/${stack}/copies/${index.toString()}` })),
  ...(signers !== undefined && { signers }),
});

const clusterEndpoint = ({ endpoint, vip }: StackConfig["hearth:cluster"]): string => {
  if (hasAddress(endpoint)) return toLoopback(endpoint);
  if (vip === undefined) {
    throw new Problem(`cluster.endpoint ${endpoint} is a name, which the lab cannot resolve: give cluster.vip as well`);
  }
  const url = new URL(endpoint);
  url.hostname = toLoopback(vip);
  return url.href.replace(/\/$/, "");
};

const proxmoxAddress = ({ endpoint }: { endpoint: string }, services: ServiceAddresses): string => {
  const { hostname, port } = new URL(endpoint);
  return hasAddress(hostname) ? `${toLoopback(hostname)}:${port === "" ? "8006" : port}` : services.proxmox;
};

/** Refuses two addresses that differ only in their first octet, because they would become the same in the lab. */
const refuseCollisions = (committed: StackConfig): void => {
  const seen = new Map<string, string>();
  mapStrings([committed["hearth:network"], committed["hearth:nodes"], committed["hearth:proxmox"]], (text) => {
    for (const [address] of text.matchAll(literal)) {
      const other = seen.get(toLoopback(address));
      if (other !== undefined && other !== address) {
        throw new Problem(`${other} and ${address} differ only in their first octet, and the lab would make them one`);
      }
      seen.set(toLoopback(address), address);
    }
    return text;
  });
};

export interface LabInputs {
  stack: string;
  /** Absolute path of the lab's folder. */
  dir: string;
  /** Absolute path of the checkout. */
  repository: string;
  /** Paths of the programs by name. */
  programs: Record<string, string>;
  /** Paths of folders in Go's module cache by name. */
  data: Record<string, string>;
  credentials: Credentials;
  /** Charts that the registry serves in addition to Cilium's and flux-operator's. */
  charts: LabChart[];
  /** Where volumes are backed up. Undefined if they hold no data. */
  bucket?: Bucket | undefined;
  /** Computers that the lab has already. @default none */
  computers?: readonly Machine[] | undefined;
}

/** Derives the simulators' configuration from the committed one. Pure. */
export const deriveLab = (written: StackConfig, inputs: LabInputs): LabConfig => {
  const committed = withoutPools(written);
  const services = serviceAddresses(committed);
  const proxmox = committed["hearth:proxmox"];
  const cloudflare = committed["hearth:cloudflare"];
  const nodes = Object.entries(committed["hearth:nodes"]);
  refuseUnsimulated(nodes);
  const on = (wanted: SimulatedPlatform) => nodes.filter(([, { platform }]) => platform === wanted);
  const vms = on("proxmox").flatMap(([, { proxmox: vm = [] }]) => vm);
  return {
    stack: inputs.stack,
    dir: inputs.dir,
    repository: inputs.repository,
    programs: inputs.programs,
    data: inputs.data,
    supervisor: { address: services.supervisor },
    internet: {
      proxy: services.proxy,
      registry: services.registry,
      registries: sorted(["ghcr.io", "quay.io", ...inputs.charts.map(({ host }) => host)]),
      charts: inputs.charts,
    },
    proxmox: {
      address: proxmox === undefined ? "" : proxmoxAddress(proxmox, services),
      token: inputs.credentials.proxmoxToken,
      ...(inputs.credentials.proxmoxPassword !== undefined && { password: inputs.credentials.proxmoxPassword }),
      nodes: sorted([...vms.map(({ host }) => host), ...(proxmox?.hosts ?? [])]),
      datastores: proxmox === undefined ? {} : datastores(proxmox, vms),
      bridges: proxmox === undefined ? [] : sorted([proxmox.bridge, ...vms.flatMap(({ bridge }) => bridge ?? [])]),
      cpus: 32,
      memoryMiB: 131_072,
    },
    cloudflare: {
      address: cloudflare === undefined ? "" : services.cloudflare,
      token: inputs.credentials.cloudflareToken,
      permissions: ["Account.Cloudflare Tunnel:Edit", "Zone.DNS:Edit", "Zone.Zone:Read"],
      account: cloudflare?.account ?? "",
      zones: cloudflare === undefined ? {} : { [cloudflare.zone.name]: cloudflare.zone.id },
    },
    git: { address: services.git, branch: committed["hearth:gitops"].branch },
    ...(inputs.bucket && { bucket: inputs.bucket }),
    metal: withKnown(
      on("metal").map(([name, node]) => bareMetal(name, node, committed)),
      inputs.computers ?? [],
    ),
  };
};

/**
 * Computers with those that a lab has already. A stack file that gives one another name, or no longer has it, changes nothing about the
 * hardware: it goes on running until somebody tells it otherwise. One that another takes the address of has gone.
 */
const withKnown = (wanted: readonly Machine[], known: readonly Machine[]): Machine[] => {
  const left = known.filter((each) => !wanted.some(({ mac, address }) => mac === each.mac || address === each.address));
  const taken = new Set(left.map(({ name }) => name));
  const kept = wanted.map((each) => known.find(({ mac }) => mac === each.mac)?.name);
  for (const name of kept) if (name !== undefined) taken.add(name);
  const named = wanted.map((each, index) => {
    const own = each.mac.replaceAll(":", "").toLowerCase();
    return { ...each, name: kept[index] ?? (taken.has(each.name) ? `${each.name}-${own}` : each.name) };
  });
  const isKnown = ({ mac }: Machine): boolean => known.some((each) => each.mac === mac);
  // In the order that the lab knows, so that nothing restarts for another one.
  const there = known.flatMap((each) => named.find(({ mac }) => mac === each.mac) ?? (left.includes(each) ? each : []));
  return [...there, ...named.filter((each) => !isKnown(each))];
};

const simulatedPlatforms = ["proxmox", "metal"] as const satisfies PlatformName[];
type SimulatedPlatform = (typeof simulatedPlatforms)[number];

const refuseUnsimulated = (nodes: [string, NodeConfig][]): void => {
  for (const [name, { platform }] of nodes) {
    if ((simulatedPlatforms as readonly string[]).includes(platform)) continue;
    const known = simulatedPlatforms.map((each) => `platform: ${each}`).join(" or ");
    throw new Problem(`The lab cannot simulate nodes.${name}, which has platform: ${platform}: it knows ${known}`);
  }
};

/** The datastores of machines and their images, with the content types of each. */
const datastores = (proxmox: ProxmoxConfig, vms: NonNullable<NodeConfig["proxmox"]>[]): Record<string, string[]> => {
  const disks = vms.flatMap(({ diskDatastore = [], extraDisks = [] }) => [
    ...[diskDatastore].flat(),
    ...extraDisks.flatMap(({ datastore = [] }) => datastore),
  ]);
  const images = vms.flatMap(({ imageDatastore = [] }) => imageDatastore);
  const forDisks = new Set([proxmox.diskDatastore, ...disks]);
  const forImages = new Set([proxmox.imageDatastore, ...images]);
  return Object.fromEntries(
    sorted([...forDisks, ...forImages]).map((name) => [
      name,
      [
        ...(forDisks.has(name) ? ["images", "rootdir"] : []),
        ...(forImages.has(name) ? ["iso", "vztmpl", "import", "snippets", "backup"] : []),
      ],
    ]),
  );
};

const sorted = (values: string[]): string[] => [...new Set(values)].sort();

/** A bare-metal machine before anything is installed. */
const bareMetal = (name: string, node: NodeConfig, committed: StackConfig): Machine => {
  const profile = committed["hearth:images"][node.image];
  const digest = createHash("sha256").update(node.mac).digest("hex");
  return {
    name,
    address: toLoopback(node.address),
    mac: node.mac,
    uuid: digest.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5"),
    platform: "metal",
    cores: 4,
    memoryMiB: 16_384,
    disks: [
      {
        device: node.installDisk ?? "/dev/nvme0n1",
        sizeGiB: 500,
        transport: node.installDisk?.startsWith("/dev/sd") === true ? "sata" : "nvme",
        model: "Hearth lab disk",
        serial: digest.slice(0, 12).toUpperCase(),
      },
    ],
    secureBoot: node.secureBoot ?? committed["hearth:cluster"].secureBoot ?? false,
    tpm: true,
    image: {
      version: committed["hearth:cluster"].talos,
      schematic: schematicId({
        extensions: profile?.extensions ?? [],
        kernelArguments: profile?.kernelArguments ?? [],
        wellKnownCertificates: profile?.wellKnownCertificates,
        overlay: profile?.overlay,
      }),
    },
  };
};
