import { Document, isMap, isScalar, type Scalar, type YAMLMap } from "yaml";

import type { PlatformName } from "../../infra/platforms/index.ts";
import { nth, prefixLength, rangeOf, toAddress, toNumber } from "../../infra/config/ipv4.ts";

/** What a person says of a new stack. */
export interface Answers {
  stack: string;
  site: string;
  platform: PlatformName;
  controlPlanes: number;
  workers: number;
  subnet: string;
  gateway: string;
  vip: string;
  nameservers: string[];
  loadBalancers: string;
  talos: string;
  kubernetes: string;
  flux: string;
  installDisk: string;
  /** Of the machines, control planes first. Virtual machines without any get them from their address. */
  macs: string[];
  proxmox: { endpoint: string; hosts: string[]; imageDatastore: string; diskDatastore: string; bridge: string };
  cloudflare: { account: string; zoneId: string; zone: string } | undefined;
  repository: string;
  branch: string;
  knownHosts: string | undefined;
  recipients: string[];
}

/** The upper quarter of a subnet, where the load balancers' addresses are unless something else is said. */
export const upperQuarter = (subnet: string): string => {
  const { last } = rangeOf(subnet);
  const length = Math.min(prefixLength(subnet) + 2, 32);
  return `${toAddress(last + 1 - 2 ** (32 - length))}/${length}`;
};

/** The configuration that the answers make, by whole keys of the stack file. */
export const settingsOf = (answers: Answers): Record<string, unknown> => {
  const cluster = `${answers.site}-${answers.stack}`;
  return {
    "pulumi:disable-default-providers": ["*"],
    "hearth:cluster": {
      name: cluster,
      endpoint: `https://${answers.vip}:6443`,
      vip: answers.vip,
      talos: answers.talos,
      kubernetes: answers.kubernetes,
      contract: answers.talos.replace(/\.\d+$/, ""),
      podCidr: "10.244.0.0/16",
      serviceCidr: "10.96.0.0/12",
    },
    "hearth:network": {
      subnet: answers.subnet,
      gateway: answers.gateway,
      nameservers: answers.nameservers,
      timeServers: ["time.cloudflare.com"],
      loadBalancers: answers.loadBalancers,
    },
    "hearth:images": {
      standard: answers.platform === "proxmox" ? { extensions: ["siderolabs/qemu-guest-agent"] } : {},
    },
    ...(answers.platform === "proxmox" && { "hearth:proxmox": proxmoxOf(answers) }),
    "hearth:nodes": nodesOf(cluster, answers),
    ...(answers.cloudflare && {
      "hearth:cloudflare": {
        account: answers.cloudflare.account,
        zone: { id: answers.cloudflare.zoneId, name: answers.cloudflare.zone },
        ingress: [],
      },
    }),
    "hearth:gitops": {
      repository: answers.repository,
      branch: answers.branch,
      path: `gitops/clusters/${answers.stack}`,
      ...(answers.knownHosts !== undefined && { knownHosts: answers.knownHosts }),
      flux: answers.flux,
    },
    ...(answers.recipients.length > 0 && { "hearth:escrow": { recipients: answers.recipients } }),
  };
};

const proxmoxOf = ({ proxmox }: Answers) => ({
  endpoint: proxmox.endpoint,
  imageDatastore: proxmox.imageDatastore,
  diskDatastore: proxmox.diskDatastore,
  bridge: proxmox.bridge,
});

const nodesOf = (cluster: string, answers: Answers): Record<string, unknown> => {
  const machines = [
    ...Array.from({ length: answers.controlPlanes }, (_, index) => ({
      role: "controlplane",
      purpose: "cp",
      index,
      from: 11,
    })),
    ...Array.from({ length: answers.workers }, (_, index) => ({ role: "worker", purpose: "wk", index, from: 21 })),
  ];
  return Object.fromEntries(
    machines.map(({ role, purpose, index, from }, position) => {
      const address = nth(answers.subnet, from + index);
      return [
        `${cluster}-${purpose}${String(index + 1).padStart(2, "0")}`,
        {
          platform: answers.platform,
          role,
          image: "standard",
          address,
          mac: answers.macs[position] ?? macOf(address),
          installDisk: answers.installDisk,
          ...(answers.platform === "proxmox" && { proxmox: vmOf(answers, role, position, address) }),
        },
      ];
    }),
  );
};

const vmOf = ({ proxmox, workers }: Answers, role: string, position: number, address: string) => {
  const [, second = 0, , last = 0] = address.split(".").map(Number);
  const size =
    role === "controlplane" && workers > 0
      ? { cores: 2, memory: 4096, disk: 40 }
      : { cores: 4, memory: 8192, disk: 80 };
  return { host: proxmox.hosts[position % proxmox.hosts.length], vmId: Math.max(second, 1) * 100 + last, ...size };
};

/** A hardware address in Proxmox's own range, from the last three octets of an address. */
const macOf = (address: string): string =>
  ["BC", "24", "11", ...[16, 8, 0].map((shift) => Math.floor(toNumber(address) / 2 ** shift) % 256).map(hex)].join(":");

const hex = (octet: number): string => octet.toString(16).toUpperCase().padStart(2, "0");

const renovate = (repository: string): string => ` renovate: datasource=github-releases depName=${repository}`;

/** Comments above keys, by the key's path. */
const comments: [path: string[], comment: string][] = [
  [
    ["pulumi:disable-default-providers"],
    " Every resource names its provider, so nothing reaches an account by accident.",
  ],
  [["hearth:cluster", "talos"], renovate("siderolabs/talos")],
  [["hearth:cluster", "kubernetes"], renovate("kubernetes/kubernetes")],
  [
    ["hearth:cluster", "contract"],
    " The Talos minor that the cluster was created with. It stays when Talos is upgraded.",
  ],
  [["hearth:gitops", "flux"], renovate("fluxcd/flux2")],
];

/** The text of a new stack file. */
export const stackFileText = (answers: Answers): string => {
  const document = new Document({ config: settingsOf(answers) });
  document.commentBefore = " yaml-language-server: $schema=infra/config.schema.json";
  for (const [path, comment] of comments) {
    const key = keyNode(document, ["config", ...path]);
    if (key) key.commentBefore = comment;
  }
  flow(document);
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
};

const keyNode = (document: Document, path: string[]): Scalar | undefined => {
  const map = document.getIn(path.slice(0, -1), true);
  if (!isMap(map)) return undefined;
  const pair = map.items.find(({ key }) => isScalar(key) && key.value === path.at(-1));
  return pair && isScalar(pair.key) ? pair.key : undefined;
};

/** Virtual machines and the zone stand on one line each. */
const flow = (document: Document): void => {
  const nodes = document.getIn(["config", "hearth:nodes"], true);
  const vms = isMap(nodes) ? nodes.items.map(({ value }) => (value as YAMLMap).get("proxmox", true)) : [];
  for (const map of [...vms, document.getIn(["config", "hearth:cloudflare", "zone"], true)]) {
    if (isMap(map)) map.flow = true;
  }
};
