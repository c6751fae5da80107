import semver from "semver";

import { resourceTypes } from "../../components/resource-types.ts";
import { hardware } from "../../infra/config/checks/machines.ts";
import type { HearthConfig } from "../../infra/config/index.ts";
import type { Trust } from "../../lib/engine/certificate.ts";
import { proxmoxAuthorities } from "../../lib/engine/proxmox-trust.ts";
import type { State } from "../../lib/engine/state.ts";
import { virtualMachine, type AskProxmox, type VirtualMachine } from "../../lib/cluster/proxmox.ts";
import type { Subject } from "./doctor.ts";
import { fine, known, listed, notAsked, problem, valueOf, warning, type Finding, type Known } from "./finding.ts";
import { reachOf } from "./proxmox-access.ts";
import { datastoreFindings, demandsOf, type Datastore } from "./proxmox-datastores.ts";
import { macFindings, macsIn, type Neighbour } from "./proxmox-macs.ts";
import { mappingFindings, type Mapping } from "./proxmox-mappings.ts";
import { needsOf, pathsOf, privilegeFindings, type Privileges } from "./proxmox-privileges.ts";
import { roleCommands } from "./proxmox-role.ts";
import { idsIn } from "./surroundings.ts";

/** A host of the Proxmox cluster. Without Sys.Audit it has neither cores nor memory. Source: pve-manager 9.2.11, PVE/API2/Nodes.pm. */
export interface Host {
  node: string;
  status?: string;
  maxcpu?: number;
  /** Bytes. */
  maxmem?: number;
}

/** A network interface of a host. Source: pve-manager 9.2.11, PVE/API2/Network.pm. */
export interface Interface {
  iface: string;
  type: string;
  active?: number;
}

/** A virtual machine or container of any host. Source: pve-manager 9.2.11, PVE/API2/Cluster.pm, resources. */
export interface Guest {
  vmid: number;
  name?: string;
  node?: string;
  type?: string;
  status?: string;
  /** Bytes. */
  maxmem?: number;
}

/** What Proxmox's API answers. */
export interface ProxmoxAnswers {
  version: Known<string>;
  hosts: Known<Host[]>;
  privileges: Known<Privileges>;
  datastores: Record<string, Known<Datastore[]>>;
  bridges: Record<string, Known<Interface[]>>;
  guests: Known<Guest[]>;
  /** Machines that the list does not have, by number: it shows only what the token may see. */
  others: Record<number, VirtualMachine>;
  /** The guests that are not the stack's. */
  neighbours: Known<Neighbour[]>;
  /** PCI resource mappings, by host. */
  mappings: Record<string, Known<Mapping[]>>;
}

/** What is known of Proxmox. */
export interface ProxmoxFacts {
  trust: Trust;
  /** ID of the token, USER@REALM!ID; undefined if the stack file has none. */
  token: Known<string | undefined>;
  /** Undefined if nothing was asked, because it does not answer, its certificate is not trusted, or there is no token. */
  answers: ProxmoxAnswers | undefined;
  /** Numbers of the machines that the state has. */
  own: number[];
  /** Whether the state could be read. */
  isStateKnown: boolean;
}

type Settings = NonNullable<HearthConfig["proxmox"]>;

/** The virtual machines of a stack, by the name of their node. */
const vmsOf = ({ nodes }: HearthConfig) =>
  Object.entries(nodes).flatMap(([name, node]) => (node.platform === "proxmox" ? [{ name, ...node.proxmox }] : []));

/** Hardware addresses of the virtual machines, by the name of their node. */
const macsOf = ({ nodes }: HearthConfig): Record<string, string[]> =>
  Object.fromEntries(
    Object.entries(nodes).flatMap(([name, node]) =>
      node.platform === "proxmox" ? [[name, hardware(node).map(({ mac }) => mac.toUpperCase())]] : [],
    ),
  );

/** PCI resource mappings that the virtual machines get, by host. */
const mappingsOf = (config: HearthConfig): Record<string, string[]> => {
  const wanted = new Map<string, Set<string>>();
  for (const { host, pciMappings } of vmsOf(config))
    for (const name of pciMappings) wanted.set(host, (wanted.get(host) ?? new Set()).add(name));
  return Object.fromEntries([...wanted].map(([host, names]) => [host, [...names].sort()]));
};

const hostsOf = (config: HearthConfig): string[] => [...new Set(vmsOf(config).map(({ host }) => host))].sort();

/** Reads what there is to know of Proxmox. */
const read = async (
  config: HearthConfig,
  settings: Settings,
  {
    secrets,
    state,
    authorities,
  }: { secrets: Known<Record<string, string>>; state: Known<State | undefined>; authorities: readonly string[] },
): Promise<ProxmoxFacts> => {
  const { trust, token, ask: request } = await reachOf(settings, { secrets, authorities });
  const secret = valueOf(token);
  return {
    trust,
    token: secret === undefined ? token : { value: idOf(secret) },
    answers: request === undefined ? undefined : await ask(config, request),
    own: idsIn(state, resourceTypes.virtualMachine).map(Number),
    isStateKnown: "value" in state,
  };
};

const idOf = (token: string): string => token.split("=")[0] ?? "";

/** Asks everything, the same path once. */
const ask = async (config: HearthConfig, request: AskProxmox): Promise<ProxmoxAnswers> => {
  const asked = new Map<string, ReturnType<AskProxmox>>();
  const once: AskProxmox = (path) => {
    const answer = asked.get(path) ?? request(path);
    asked.set(path, answer);
    return answer;
  };
  const data = <T>(path: string): Promise<Known<T>> =>
    known(async () => {
      const { status, reason, data: found } = await once(path);
      if (status !== 200) throw new Error(`Proxmox answers ${status.toString()} ${reason}`.trim());
      return found as T;
    });
  const byHost = async <T>(
    path: (host: string) => string,
    hosts = hostsOf(config),
  ): Promise<Record<string, Known<T>>> =>
    Object.fromEntries(
      await Promise.all(hosts.map(async (host) => [host, await data<T>(path(encodeURIComponent(host)))] as const)),
    );
  const [version, hosts, guests, datastores, bridges, mappings, privileges] = await Promise.all([
    data<{ version: string }>("/version"),
    data<Host[]>("/nodes"),
    data<Guest[]>("/cluster/resources?type=vm"),
    byHost<Datastore[]>((host) => `/nodes/${host}/storage`),
    byHost<Interface[]>((host) => `/nodes/${host}/network?type=any_bridge`),
    byHost<Mapping[]>((host) => `/cluster/mapping/pci?check-node=${host}`, Object.keys(mappingsOf(config))),
    known(() => privilegesOn(pathsOf(needsOf(config)), once)),
  ]);
  const listedVms = (valueOf(guests) ?? []).map(({ vmid }) => vmid);
  const others = await Promise.all(
    vmsOf(config)
      .filter(({ vmId }) => !listedVms.includes(vmId))
      .map(async ({ host, vmId }) => [vmId, await virtualMachine(once, host, vmId)] as const),
  );
  return {
    version: "value" in version ? { value: version.value.version } : version,
    ...{ hosts, guests, datastores, bridges, mappings, privileges },
    others: Object.fromEntries(others),
    neighbours: "value" in guests ? { value: await neighboursOf(config, guests.value, data) } : guests,
  };
};

/** The guests whose numbers no node has, with their hardware addresses. */
const neighboursOf = (
  config: HearthConfig,
  guests: readonly Guest[],
  data: <T>(path: string) => Promise<Known<T>>,
): Promise<Neighbour[]> => {
  const own = vmsOf(config).map(({ vmId }) => vmId);
  return Promise.all(
    guests
      .filter(({ vmid }) => !own.includes(vmid))
      .map(async ({ vmid, name = "another machine", node = "", type = "qemu", status }) => {
        const read = await data<Record<string, unknown>>(
          `/nodes/${encodeURIComponent(node)}/${type}/${vmid.toString()}/config`,
        );
        const macs = "value" in read ? { value: macsIn(read.value) } : read;
        return { vmid, name, isRunning: status === "running", macs };
      }),
  );
};

/**
 * The privileges on each path. Proxmox works them out itself, with pools and with roles that a deeper path replaces, if it is asked for the
 * path. Source: libpve-access-control 9.1.1, PVE/API2/AccessControl.pm, permissions.
 */
const privilegesOn = async (paths: readonly string[], request: AskProxmox): Promise<Privileges> =>
  Object.fromEntries(
    await Promise.all(
      paths.map(async (path) => {
        const { status, reason, data } = await request(`/access/permissions?path=${encodeURIComponent(path)}`);
        if (status !== 200) throw new Error(`Proxmox answers ${status.toString()} ${reason}`.trim());
        const all = (data ?? {}) as Record<string, Record<string, unknown>>;
        return [path, Object.keys(all[path] ?? {})] as const;
      }),
    ),
  );

/** What the answers mean for the stack. */
export const proxmoxFindings = (config: HearthConfig, facts: ProxmoxFacts): Finding[] => {
  const { proxmox: settings } = config;
  if (!settings) return [];
  const { trust, token, answers } = facts;
  const id = valueOf(token);
  return [
    ...trustFindings(settings, trust),
    ...("value" in token && token.value === undefined ? [tokenMissing(config)] : []),
    ...(answers && id !== undefined
      ? answerFindings(config, settings, { ...facts, answers, token: id })
      : [notAsked("Proxmox", unaskedBecause(trust, token))]),
  ];
};

const tokenMissing = (config: HearthConfig): Finding =>
  problem(
    "Proxmox token",
    "the stack file has no hearth:proxmoxToken",
    [
      "make one that may do what this stack needs, and nothing else, at a Proxmox host:",
      ...roleCommands(config).map((command) => `  ${command}`),
      "then: pulumi config set --secret hearth:proxmoxToken 'hearth@pve!deploy=SECRET'",
    ].join("\n"),
  );

const unaskedBecause = (trust: Trust, token: Known<string | undefined>): string => {
  if (trust.is === "silent") return "it does not answer";
  if ("why" in token) return `the token cannot be read: ${token.why}`;
  return token.value === undefined
    ? "there is no token to ask with"
    : "the token goes to no server whose certificate is not trusted";
};

const trustFindings = (settings: Settings, trust: Trust): Finding[] => {
  const { endpoint, insecure, ca, fingerprint } = settings;
  const check = `Proxmox at ${new URL(endpoint).host}`;
  switch (trust.is) {
    case "silent":
      return [
        problem(
          check,
          `does not answer: ${trust.why}`,
          "look at hearth:proxmox.endpoint, at the host, and at the route from this computer; its port is 8006 unless a proxy is before it",
        ),
      ];
    case "trusted":
      return insecure
        ? [
            warning(
              check,
              "has a certificate that is trusted, and proxmox.insecure takes any",
              "remove proxmox.insecure",
            ),
          ]
        : [
            fine(check, `answers with a certificate that is trusted until ${trust.until}`),
            ...(ca !== undefined || fingerprint !== undefined ? keychainFindings(check) : []),
          ];
    case "untrusted":
      return [untrusted(check, trust, settings)];
  }
};

/** Source: Go 1.26, crypto/x509/root_darwin.go: it asks the system's verifier, and reads no file. */
const keychainFindings = (check: string, system: NodeJS.Platform = process.platform): Finding[] =>
  system === "darwin"
    ? [
        warning(
          `${check} and the keychain`,
          "on macOS, plugins trust what the keychain does, and not hearth:proxmox.ca or fingerprint",
          "security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db FILE, with the same certificate",
        ),
      ]
    : [];

const untrusted = (check: string, trust: Extract<Trust, { is: "untrusted" }>, settings: Settings): Finding => {
  const { code, fingerprint, issuer, until } = trust;
  const { insecure, ca, fingerprint: named } = settings;
  const said = `has a certificate of ${issuer} with the SHA-256 ${fingerprint}, which is not trusted (${code})`;
  if (insecure) {
    return warning(
      check,
      `${said}; proxmox.insecure takes it, and any other`,
      `write proxmox.ca or proxmox.fingerprint instead of proxmox.insecure:\n${howToTrust(fingerprint)}`,
    );
  }
  if (named !== undefined && named !== fingerprint)
    return problem(
      check,
      `has a certificate with the SHA-256 ${fingerprint}, and hearth:proxmox.fingerprint is ${named}`,
      "compare it with the host's: pvenode cert info. If it was renewed, write the new one; if not, somebody is between",
    );
  switch (code) {
    case "CERT_HAS_EXPIRED":
      return problem(
        check,
        `has a certificate that expired on ${until}`,
        "renew it on the host: pvecm updatecerts --force",
      );
    case "CERT_NOT_YET_VALID":
      return problem(
        check,
        "has a certificate that is not valid yet",
        "set the clocks of this computer and of the host",
      );
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return problem(
        check,
        "has a certificate for other names",
        "write the name or address that the certificate has as hearth:proxmox.endpoint, or renew it: pvecm updatecerts --force",
      );
    default:
      return problem(
        check,
        said,
        (ca === undefined ? "" : "the certificate of hearth:proxmox.ca did not sign it.\n") +
          howToTrust(fingerprint) +
          "\nor give the host a certificate of a known authority (ACME). proxmox.insecure: true takes any certificate, also an intruder's",
      );
  }
};

/** What to write under hearth:proxmox. */
const howToTrust = (fingerprint: string): string =>
  [
    "compare the fingerprint with the host's (pvenode cert info), then write under hearth:proxmox",
    `  fingerprint: "${fingerprint}"`,
    "which is this certificate until it is renewed; or, for all certificates of the cluster, the content of /etc/pve/pve-root-ca.pem of a host",
    "  ca: |",
    "    -----BEGIN CERTIFICATE-----",
    "    …",
  ].join("\n");

interface Asked extends Omit<ProxmoxFacts, "token" | "answers"> {
  token: string;
  answers: ProxmoxAnswers;
}

const answerFindings = (config: HearthConfig, settings: Settings, facts: Asked): Finding[] => {
  const { answers, token } = facts;
  if ("why" in answers.version) return [refused(answers.version.why, token)];
  const vnets = Object.values(answers.bridges).flatMap((each) =>
    (valueOf(each) ?? []).filter(({ type }) => type === "vnet").map(({ iface }) => iface),
  );
  const existing = (valueOf(answers.guests) ?? []).map(({ vmid }) => vmid);
  return [
    fine("Proxmox token", `${token} is accepted`),
    versionFinding(settings, answers.version.value),
    ...hostFindings(config, answers),
    ...privilegeFindings(needsOf(config, vnets), answers.privileges, token),
    ...datastoreFindings(demandsOf(config, existing), answers.datastores),
    ...bridgeFindings(config, settings, answers),
    ...vmsOf(config).map((vm) => numberFinding(vm, facts)),
    ...macFindings(macsOf(config), answers.neighbours, facts.own),
    ...mappingFindings(mappingsOf(config), answers.mappings),
  ];
};

const refused = (why: string, token: string): Finding =>
  /\b401\b/.test(why)
    ? problem(
        "Proxmox token",
        `${token} is refused: ${why.replace(/^Proxmox answers /, "")}`,
        "look at its secret and whether it has expired; pveum user token list USER shows a user's tokens\n" +
          "then pulumi config set --secret hearth:proxmoxToken 'USER@REALM!ID=SECRET'",
      )
    : problem("Proxmox token", why, "look at the host's log: journalctl -u pveproxy -u pvedaemon");

/** Importing qcow2 by name needs 8.4, affinity rules need 9. Source: Proxmox VE's release notes of 8.4 and 9.0. */
const versionFinding = ({ antiAffinity }: Settings, version: string): Finding => {
  const check = "Proxmox version";
  const is = semver.coerce(version);
  if (is === null)
    return warning(check, `${version} is no version that Hearth can read`, "use Proxmox VE 8.4 or newer");
  if (semver.lt(is, "8.4.0")) {
    return problem(check, `${version} imports no disk image by its name`, "upgrade Proxmox VE to 8.4 or newer");
  }
  if (antiAffinity && semver.lt(is, "9.0.0")) {
    return problem(
      check,
      `${version} has no affinity rules, which proxmox.antiAffinity needs`,
      "upgrade Proxmox VE to 9, or remove proxmox.antiAffinity",
    );
  }
  return fine(check, version);
};

const mebibyte = 1024 ** 2;

const hostFindings = (config: HearthConfig, { hosts, guests }: ProxmoxAnswers): Finding[] => {
  if ("why" in hosts) return [notAsked("Proxmox hosts", hosts.why)];
  const names = hosts.value.map(({ node }) => node);
  return hostsOf(config).flatMap((name): Finding[] => {
    const check = `Proxmox host ${name}`;
    const host = hosts.value.find(({ node }) => node === name);
    if (!host) {
      return [
        problem(check, `is not in the cluster, which has ${listed(names)}`, "correct proxmox.host of the nodes there"),
      ];
    }
    if (host.status === "offline") return [problem(check, "is offline", "start it, or look at it: pvecm status")];
    if (host.maxcpu === undefined || host.maxmem === undefined) {
      return [notAsked(check, "is there; its cores and memory are shown to tokens with Sys.Audit only")];
    }
    const vms = vmsOf(config).filter((vm) => vm.host === name);
    const bad = [
      ...coreProblems(check, vms, host.maxcpu),
      ...memoryProblems(check, vms, host.maxmem, valueOf(guests), name),
    ];
    const room = `${host.maxcpu.toString()} cores and ${gib(host.maxmem)} of memory`;
    return bad.length > 0 ? bad : [fine(check, `is online, with ${room}`)];
  });
};

type Vm = ReturnType<typeof vmsOf>[number];

/** Source: qemu-server 9.2.6, PVE/QemuServer.pm: "MAX … vcpus allowed per VM on this node". */
const coreProblems = (check: string, vms: readonly Vm[], cores: number): Finding[] =>
  vms
    .filter((vm) => vm.cores > cores)
    .map((vm) =>
      problem(
        check,
        `has ${cores.toString()} cores, and ${vm.name} asks for ${vm.cores.toString()}`,
        `make nodes.${vm.name}.proxmox.cores ${cores.toString()} or less`,
      ),
    );

const memoryProblems = (
  check: string,
  vms: readonly Vm[],
  memory: number,
  guests: readonly Guest[] | undefined,
  host: string,
): Finding[] => {
  const ours = vms.reduce((sum, vm) => sum + vm.memory * mebibyte, 0);
  const numbers = vms.map(({ vmId }) => vmId);
  const others = (guests ?? [])
    .filter(({ node, vmid }) => node === host && !numbers.includes(vmid))
    .reduce((sum, { maxmem = 0 }) => sum + maxmem, 0);
  const advice = "make proxmox.memory of the nodes smaller, move some to another host, or add memory";
  if (ours > memory) {
    return [
      problem(check, `has ${gib(memory)} of memory, and the stack's machines there ask for ${gib(ours)}`, advice),
    ];
  }
  if (ours + others <= memory) return [];
  const found = `has ${gib(memory)} of memory; the stack's machines ask for ${gib(ours)}, and others have ${gib(others)}`;
  return [warning(check, found, advice)];
};

const gib = (size: number): string => `${(Math.round((size / 1024 ** 3) * 10) / 10).toString()} GiB`;

const bridgeFindings = (config: HearthConfig, settings: Settings, { bridges }: ProxmoxAnswers): Finding[] => {
  const used = new Map(
    vmsOf(config).map((vm) => {
      const bridge = vm.bridge ?? settings.bridge;
      return [`${vm.host}/${bridge}`, { host: vm.host, bridge }];
    }),
  );
  return [...used.values()].map(({ host, bridge }): Finding => {
    const check = `Proxmox bridge ${bridge} on ${host}`;
    const read = bridges[host];
    if (read === undefined || "why" in read) return notAsked(check, read?.why ?? `${host} was not asked`);
    const found = read.value.find(({ iface }) => iface === bridge);
    if (!found) {
      const others = listed(read.value.map(({ iface }) => iface)) || "none";
      return problem(
        check,
        `is not there, or the token may not see it; there are ${others}`,
        "correct the bridge in the stack file, or give the token SDN.Use on /sdn/zones/localnetwork",
      );
    }
    if (found.active !== undefined && found.active !== 1) {
      return problem(check, "is not active", `bring it up on ${host}: ifup ${bridge}`);
    }
    return fine(check, "is there");
  });
};

const numberFinding = ({ name, vmId }: Vm, { answers, own, isStateKnown }: Asked): Finding => {
  const number = vmId.toString();
  const check = `Proxmox VM ${number} (${name})`;
  if ("why" in answers.guests) return notAsked(check, answers.guests.why);
  const isOwn = own.includes(vmId);
  const found = answers.guests.value.find(({ vmid }) => vmid === vmId);
  if (found) {
    const where = `on ${found.node ?? "a host"}`;
    if (isOwn) return fine(check, `is this stack's, ${where}`);
    if (found.name === name && !isStateKnown)
      return notAsked(check, `a machine of this name has it; whether it is this stack's, only the state says`);
    return problem(
      check,
      `belongs to ${found.name ?? "another machine"} ${where}, and this stack's state does not have it`,
      found.name === name
        ? "if the state was lost, npx hearth rebuild takes it over; if it is left over, delete it at Proxmox"
        : `give nodes.${name}.proxmox another vmId, or remove that machine`,
    );
  }
  const other = answers.others[vmId];
  if (other?.is === "unknown")
    return notAsked(check, `it is not in the list of what the token may see, and Proxmox ${other.why}`);
  if (other?.is === "there") {
    return isOwn
      ? fine(check, "is this stack's")
      : problem(check, "belongs to a machine that the token may not see", `give nodes.${name}.proxmox another vmId`);
  }
  return isOwn
    ? problem(check, "is in the state, and Proxmox has no such machine", "npx hearth rebuild makes what was lost")
    : fine(check, "is free");
};

/** The Proxmox cluster of the stack's virtual machines. */
export const proxmox: Subject = {
  name: "Proxmox",
  examine: async ({ config, target, secrets, state }) => {
    if (!config.proxmox || vmsOf(config).length === 0) return [];
    // By another fingerprint nothing is trusted, which is told with both.
    const authorities = await proxmoxAuthorities(config.proxmox, target.environment).catch(() => []);
    return proxmoxFindings(config, await read(config, config.proxmox, { secrets, state, authorities }));
  },
};
