import { isAlias, isScalar, parseAllDocuments, visit } from "yaml";

/**
 * Settings that decide where a credential goes or who else gets one, and what goes there. A star stands for one name.
 *
 * Settings in neither list count as destinations too: what is not known is not harmless.
 */
export const destinations: Readonly<Record<string, string>> = {
  imageFactory: "machines boot what it serves, and then hold all their keys",
  "images.*.kernelArguments": "they can have a machine fetch its configuration from elsewhere",
  "images.*.overlay": "machines run what is in it before Talos",
  "images.*.services": "the secrets of these services are sent where it says",
  "proxmox.endpoint": "the Proxmox token is sent there",
  "proxmox.ca": "the Proxmox token is sent to whoever has a certificate of it",
  "proxmox.fingerprint": "the Proxmox token is sent to whoever has this certificate",
  "proxmox.insecure": "the Proxmox token is sent to whoever answers",
  "cluster.endpoint": "the administrator's kubeconfig is used there",
  "cluster.vip": "the administrator's kubeconfig is used there",
  "cluster.registryMirrors": "machines fetch images there, with their credentials",
  "cluster.auditPolicy": "what requests hold can get into the audit log",
  "cluster.oidc": "whoever signs in there uses the cluster",
  "cluster.groups": "it says what people with certificates of their own may do",
  "cluster.trustedRoots": "machines trust servers that these certify",
  "cluster.staticHosts": "they answer who a credential is sent to",
  "cluster.logDestinations": "machines send their logs there",
  "cluster.kernelLogDestinations": "machines send their logs there",
  "cluster.patches": "a patch can send anything anywhere",
  "cluster.talosApiAccess": "pods get credentials of the Talos API",
  "network.subnet": "it says which machines get a configuration",
  "network.gateway": "all that machines send passes there",
  "network.ipv6": "all that machines send by IPv6 passes its gateway",
  "network.networks": "it says what leaves by another link than the first",
  "network.encryption": "without it, whoever is between nodes reads what pods send each other",
  "network.firewall": "it says who reaches the APIs of the machines",
  "network.nameservers": "they answer who a credential is sent to",
  "nodes.*.address": "the machine's configuration with its keys is sent there",
  "nodes.*.routes": "what machines send to these addresses passes there",
  "nodes.*.links": "what machines send to its network and by its routes passes there",
  "nodes.*.patches": "a patch can send anything anywhere",
  pools: "the configuration with its keys is sent to each of its machines",
  "cloudflare.webhook": "GitHub sends the webhook's secret there",
  "gitops.engine": "it gets the age identity and the deploy key",
  "gitops.repository": "the deploy key or the token is used there, and the cluster runs what it holds",
  "gitops.branch": "the cluster runs what it holds",
  "gitops.promotion": "it says what becomes of the branch that the cluster runs",
  "gitops.path": "the cluster runs what it holds",
  "gitops.knownHosts": "it says whom the deploy key is used with",
  escrow: "it says who can open the root secrets, and where they are copied to",
};

/** Settings that no credential's way depends on. A star stands for one name, and what is below a setting goes with it. */
export const harmless: readonly string[] = [
  ...["extensions", "kernelModules", "wellKnownCertificates", "architecture"].map((key) => `images.*.${key}`),
  ...[
    "antiAffinity",
    "bridge",
    "diskDatastore",
    "hosts",
    "imageDatastore",
    "networks",
    "sharedDatastores",
    "tags",
    "vlan",
  ].map((key) => `proxmox.${key}`),
  ...["name", "talos", "kubernetes", "contract", "podCidr", "serviceCidr", "scheduleOnControlPlanes", "certSANs"].map(
    (key) => `cluster.${key}`,
  ),
  ...[
    "podSecurity",
    "auditLevel",
    "diskEncryption",
    "diskRecoveryKey",
    "secureBoot",
    "forwardDnsToHost",
    "discovery",
    "sysctls",
    "watchdog",
    "imageCache",
    "kubeletCertificates",
  ].map((key) => `cluster.${key}`),
  ...["domain", "dhcpRange", "timeServers", "loadBalancers", "loadBalancerMode", "announce", "gatewayApi"].map(
    (key) => `network.${key}`,
  ),
  ...["platform", "renamedFrom", "role", "image", "mac", "dhcp", "vlan", "bond", "mtu", "proxmox"].map(
    (key) => `nodes.*.${key}`,
  ),
  ...["installDisk", "diskSelector", "diskEncryption", "ephemeral", "secureBoot", "volumes"].map(
    (key) => `nodes.*.${key}`,
  ),
  ...["labels", "annotations", "taints", "sysctls", "address6", "addresses"].map((key) => `nodes.*.${key}`),
  ...["account", "zone", "ingress", "tunnel", "tunnels", "records"].map((key) => `cloudflare.${key}`),
  "gitops.flux",
  "gitops.emptyUntil",
  "policy",
  "rollout",
];

/** Whether a setting is one that a pattern names, or is below it. */
export const matches = (pattern: string, path: readonly string[]): boolean => {
  const names = pattern.split(".");
  return names.length <= path.length && names.every((name, index) => name === "*" || name === path[index]);
};

/** Why a change of a stack file has to be read before anything runs with it. */
export interface Concern {
  /** Path of the setting in the file, as `hearth:proxmox.endpoint`; empty if it is the whole file. */
  path: string;
  reason: string;
}

/**
 * Returns why a person has to read the change of a stack file before a credential is used with it; nothing if none of what changed decides
 * where a credential goes.
 *
 * Everything outside `hearth:`, and every encrypted value, has to be read: the engine itself reads the former, and the latter could be shown
 * or sent elsewhere under another key.
 *
 * @param before the file that was read already; undefined if it is new
 * @param after the changed file; undefined if it was removed
 */
export const concernsOf = (before: string | undefined, after: string | undefined): Concern[] => {
  if (before === after) return [];
  if (before === undefined) return [{ path: "", reason: "is a new stack" }];
  if (after === undefined) return [{ path: "", reason: "removes a stack" }];
  const unusual = unusualYaml(after);
  if (unusual !== undefined) return [{ path: "", reason: unusual }];
  const [was, is] = [leavesOf(before), leavesOf(after)];
  const changed = [...new Set([...was.keys(), ...is.keys()])].filter((key) => was.get(key) !== is.get(key));
  return distinct(changed.map((key) => JSON.parse(key) as string[]).flatMap(concernOf));
};

const distinct = (concerns: Concern[]): Concern[] => [
  ...new Map(concerns.map((concern) => [`${concern.path} ${concern.reason}`, concern])).values(),
];

const concernOf = (whole: readonly string[]): Concern[] => {
  // Items of a list are not told apart.
  const path = whole.filter((name) => !/^\[\d+\]$/.test(name));
  const [config, group = "", ...rest] = path;
  const shown = config === "config" ? [group, ...rest].join(".") : path.join(".");
  if (path.includes("secure")) return [{ path: shown, reason: "is an encrypted value" }];
  if (config !== "config" || !group.startsWith("hearth:"))
    return [{ path: shown, reason: "is read by the engine itself" }];
  const setting = [group.slice("hearth:".length), ...rest];
  if (harmless.some((pattern) => matches(pattern, setting))) return [];
  const [, reason = "nobody said that no credential's way depends on it"] =
    Object.entries(destinations).find(([pattern]) => matches(pattern, setting)) ?? [];
  return [{ path: shown, reason }];
};

/** The scalars of a stack file, by their path as JSON. An empty map or list counts as one. */
const leavesOf = (text: string): Map<string, string> => {
  const leaves = new Map<string, string>();
  const walk = (value: unknown, path: string[]): void => {
    const entries = Array.isArray(value)
      ? value.map((item, index): [string, unknown] => [`[${String(index)}]`, item])
      : typeof value === "object" && value !== null
        ? Object.entries(value)
        : [];
    if (entries.length === 0) leaves.set(JSON.stringify(path), JSON.stringify(value));
    for (const [key, item] of entries) walk(item, [...path, key]);
  };
  walk(parseAllDocuments(text, { logLevel: "silent" }).at(0)?.toJS() ?? null, []);
  return leaves;
};

/**
 * Characters that end a line in one YAML only, so that a comment here is a setting there: the engine's library knows the breaks of YAML 1.1.
 *
 * Source: gopkg.in/yaml.v3 v3.0.1, yamlprivateh.go, is_break.
 */
// eslint-disable-next-line no-control-regex -- that is what it looks for
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff]/;

/**
 * Says what in a file the engine could read differently from this check. The engine's library is another one, of another YAML: it merges
 * `<<`, for example.
 */
const unusualYaml = (text: string): string | undefined => {
  if (controls.test(text)) return "has a control character, which may begin a line";
  const documents = parseAllDocuments(text, { logLevel: "silent" });
  const [document] = documents;
  if (documents.length !== 1 || document === undefined) return "is not one document";
  if (document.errors.length > 0 || document.warnings.length > 0) return "is not plain YAML";
  if (/^%/m.test(text)) return "has a directive of YAML";
  let found: string | undefined;
  visit(document, {
    Node: (_, node) => {
      if (isAlias(node) || node.anchor !== undefined) found = "has an anchor or an alias";
      else if (node.tag !== undefined) found = "has a tag";
    },
    Pair: (_, { key }) => {
      if (!isScalar(key) || typeof key.value !== "string" || key.value === "<<")
        found = "has a key that is not a plain name";
    },
  });
  return found;
};
