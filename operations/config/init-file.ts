import { Document, isMap, isScalar, type Scalar, type YAMLMap } from "yaml";

import { nth, prefixLength, rangeOf, toAddress } from "../../infra/config/ipv4.ts";
import { platformOf, platforms as all } from "../../infra/platforms/index.ts";
import type { NewMachine, Platform } from "../../infra/platforms/platform.ts";
import { listOf, type Given } from "../../infra/platforms/question.ts";
import { nodeName } from "./node-name.ts";

/** The user's answers about a new stack. */
export interface Answers {
  stack: string;
  site: string;
  platform: Platform;
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
  gatewayApi: string;
  installDisk: string;
  /** Hardware addresses of the machines, control planes first. There may be fewer if the platform assigns them. */
  macs: string[];
  /** All answers by flag, for the platform to read its own. */
  given: Given;
  cloudflare: { account: string; zoneId: string; zone: string } | undefined;
  repository: string;
  branch: string;
  /** Last day on which volumes may begin empty. */
  emptyUntil: string;
  knownHosts: string | undefined;
  recipients: string[];
}

/** Parses the user's answers. */
export const answersOf = (stack: string, given: Given, platforms = all): Answers => {
  const text = (flag: string): string => given[flag] ?? "";
  return {
    stack,
    site: text("site"),
    platform: platformOf({ platform: text("platform") }, platforms),
    given,
    controlPlanes: Number(text("control-planes")),
    workers: Number(text("workers")),
    subnet: text("subnet"),
    gateway: text("gateway"),
    vip: text("vip"),
    nameservers: listOf(text("nameservers")),
    loadBalancers: text("load-balancers"),
    talos: text("talos"),
    kubernetes: text("kubernetes"),
    flux: text("flux"),
    gatewayApi: text("gateway-api"),
    installDisk: text("install-disk"),
    macs: listOf(text("macs")),
    cloudflare:
      text("domain") === ""
        ? undefined
        : { account: text("cloudflare-account"), zoneId: text("cloudflare-zone"), zone: text("domain") },
    repository: text("repository"),
    branch: text("branch"),
    emptyUntil: inAMonth(),
    knownHosts: given["known-hosts"],
    recipients: listOf(text("recipients")),
  };
};

/** The day on which the backups of a new installation have to be there. */
const inAMonth = (): string => new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);

/** The upper quarter of a subnet: the default for the load balancers' addresses. */
export const upperQuarter = (subnet: string): string => {
  const { last } = rangeOf(subnet);
  const length = Math.min(prefixLength(subnet) + 2, 32);
  return `${toAddress(last + 1 - 2 ** (32 - length))}/${length}`;
};

/** Builds the configuration from the answers, by whole keys of the stack file. */
export const settingsOf = (answers: Answers): Record<string, unknown> => {
  const cluster = `${answers.site}-${answers.stack}`;
  const { platform, given } = answers;
  const { extensions } = platform.setup;
  const group = platform.setup.settings(given);
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
      talosApiAccess: { namespaces: ["etcd-backup"] },
      diskEncryption: "nodeID",
      logDestinations: [{ url: "tcp://127.0.0.1:6051" }],
      kernelLogDestinations: { logs: "tcp://127.0.0.1:6050" },
    },
    "hearth:network": {
      subnet: answers.subnet,
      gateway: answers.gateway,
      nameservers: answers.nameservers,
      timeServers: ["time.cloudflare.com"],
      loadBalancers: answers.loadBalancers,
      gatewayApi: answers.gatewayApi,
    },
    "hearth:images": { standard: extensions.length > 0 ? { extensions: [...extensions] } : {} },
    ...(group && { [`hearth:${platform.name}`]: group }),
    "hearth:nodes": nodesOf(cluster, answers),
    ...(answers.cloudflare && {
      "hearth:cloudflare": {
        account: answers.cloudflare.account,
        zone: { id: answers.cloudflare.zoneId, name: answers.cloudflare.zone },
        ingress: [
          {
            hostname: `welcome-${answers.stack}.${answers.cloudflare.zone}`,
            service: "http://welcome.apps.svc.cluster.local:80",
          },
        ],
      },
    }),
    "hearth:gitops": {
      repository: answers.repository,
      branch: answers.branch,
      path: `gitops/clusters/${answers.stack}`,
      emptyUntil: answers.emptyUntil,
      ...(answers.knownHosts !== undefined && { knownHosts: answers.knownHosts }),
      flux: answers.flux,
    },
    ...(answers.recipients.length > 0 && { "hearth:escrow": { recipients: answers.recipients } }),
  };
};

const nodesOf = (cluster: string, answers: Answers): Record<string, unknown> => {
  const { platform, given, subnet, controlPlanes, workers } = answers;
  const group = (role: NewMachine["role"], count: number, from: number) =>
    Array.from({ length: count }, (_, index) => ({
      role,
      name: nodeName(cluster, role, index + 1),
      address: nth(subnet, from + index),
    }));
  const machines = [...group("controlplane", controlPlanes, 11), ...group("worker", workers, 21)];
  return Object.fromEntries(
    machines.map(({ role, name, address }, position) => {
      const own = platform.setup.node(given, { role, address, position, hasWorkers: workers > 0 });
      return [
        name,
        {
          platform: platform.name,
          role,
          image: "standard",
          address,
          mac: answers.macs[position] ?? platform.setup.mac?.(address),
          installDisk: answers.installDisk,
          ...(own && { [platform.name]: own }),
        },
      ];
    }),
  );
};

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
  [
    ["hearth:cluster", "talosApiAccess"],
    " Pods in this namespace take snapshots of etcd: gitops/infrastructure/backup/etcd.",
  ],
  [
    ["hearth:cluster", "diskEncryption"],
    " A disk that is thrown away or sold tells nothing. Set later, it replaces them: docs/guides/changing-a-cluster.md.",
  ],
  [["hearth:cluster", "logDestinations"], " A pod of each machine takes them: gitops/infrastructure/monitoring/logs."],
  [["hearth:network", "gatewayApi"], renovate("kubernetes-sigs/gateway-api")],
  [["hearth:gitops", "emptyUntil"], " Volumes of apps may begin empty until then. Remove it once there are backups."],
  [["hearth:gitops", "flux"], renovate("fluxcd/flux2")],
];

/** The text of a new stack file. */
export const stackFileText = (answers: Answers): string => {
  // As Go reads it: a day without quotes is a time there.
  const document = new Document({ config: settingsOf(answers) }, { schema: "yaml-1.1" });
  document.commentBefore = " yaml-language-server: $schema=infra/config.schema.json";
  for (const [path, comment] of comments) {
    const key = keyNode(document, ["config", ...path]);
    if (key) key.commentBefore = comment;
  }
  flow(document, answers.platform);
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
};

const keyNode = (document: Document, path: string[]): Scalar | undefined => {
  const map = document.getIn(path.slice(0, -1), true);
  if (!isMap(map)) return undefined;
  const pair = map.items.find(({ key }) => isScalar(key) && key.value === path.at(-1));
  return pair && isScalar(pair.key) ? pair.key : undefined;
};

/** Puts a node's platform settings and the zone on one line each. */
const flow = (document: Document, { name }: Platform): void => {
  const nodes = document.getIn(["config", "hearth:nodes"], true);
  const own = isMap(nodes) ? nodes.items.map(({ value }) => (value as YAMLMap).get(name, true)) : [];
  for (const map of [...own, document.getIn(["config", "hearth:cloudflare", "zone"], true)]) {
    if (isMap(map)) map.flow = true;
  }
};
