import { setTimeout as sleep } from "node:timers/promises";

import semver from "semver";
import { parseAllDocuments } from "yaml";

import type { Role } from "../../components/talos/settings.ts";
import { Kubernetes, readiness, type KubernetesObject } from "../cluster/kubernetes.ts";
import { machineState, type MachineState } from "../cluster/machine-state.ts";
import { etcdAlarms, etcdMembers, etcdStatus, type Talosctl } from "../cluster/talosctl.ts";
import { diskKeysOf, foreignKeys, sealedVolumes } from "../cluster/disk-keys.ts";
import { printedDocuments } from "../cluster/machine-configuration.ts";
import type { DisksReading } from "./disks.ts";
import { hasLeader, type EtcdView, type NodeReading, type Readings } from "./gates.ts";
import { messageOf } from "../../toolchain/problem.ts";

/** How a cluster is reached: with its administrator's certificates. */
export interface Access {
  talos: Talosctl;
  kubeconfig: string;
  /** Machines of the cluster by the name of their node. */
  machines: Record<string, ReachedMachine>;
}

export interface ReachedMachine {
  role: "controlplane" | "worker";
  address: string;
  /** Whether its configuration has a VIP. @default false */
  hasVip?: boolean;
}

/** A machine as its Talos API tells. */
export interface MachineReading {
  /** Release of Talos. */
  version: string;
  /** Undefined if the image is not from an Image Factory. */
  schematic: string | undefined;
  /** Another one after every boot. */
  boot: string;
}

/** How long a machine may take to answer a question, in milliseconds. */
const answerTimeout = 20_000;

/** Annotation of a node that a rollout took out of service. Its value is how it was before: schedulable or cordoned. */
export const mark = "hearth.dev/rollout";

/**
 * Reads the Talos release, the schematic and the boot of a machine.
 *
 * Source: siderolabs/talos v1.13.9, pkg/machinery/resources/runtime: Version, and ExtensionStatus, where the Image Factory's virtual
 * extension `schematic` has the ID as its version.
 *
 * @throws Problem if it does not answer
 */
export const readMachine = async (talos: Talosctl, address: string): Promise<MachineReading> => {
  const ask = (...args: string[]) => talos.once(address, args, answerTimeout);
  const [version, extensions, boot] = await Promise.all([
    talosRelease(talos, address),
    ask("get", "extensions", "--output", "yaml"),
    ask("read", "/proc/sys/kernel/random/boot_id"),
  ]);
  const schematic = specsOf<{ metadata?: { name?: string; version?: string } }>(extensions).find(
    ({ metadata }) => metadata?.name === "schematic",
  );
  return {
    version,
    schematic: schematic?.metadata?.version,
    boot: boot.trim(),
  };
};

/** The role of a machine as it runs. @throws Problem if it does not answer */
export const readRole = async (talos: Talosctl, address: string): Promise<Role> => {
  const [type] = specsOf<string>(await talos.once(address, ["get", "machinetype", "--output", "yaml"], answerTimeout));
  return type === "worker" ? "worker" : "controlplane";
};

/**
 * The Talos release of a machine.
 *
 * @param timeout in milliseconds
 * @throws Problem if it does not answer
 */
export const talosRelease = async (talos: Talosctl, address: string, timeout = answerTimeout): Promise<string> => {
  const printed = await talos.once(address, ["get", "versions.runtime.talos.dev", "--output", "yaml"], timeout);
  return specsOf<{ version?: string }>(printed)[0]?.version ?? "";
};

/** How a machine answers that a person may have booted. */
export interface BootReading {
  state: MachineState;
  /** Undefined if it does not say, or nobody could be asked. */
  isSecureBoot?: boolean | undefined;
}

/**
 * Reads how a machine answers, and whether SecureBoot is on. Anybody may ask that of a machine in maintenance mode.
 *
 * Source: siderolabs/talos v1.13.9, pkg/machinery/resources/runtime/security_status.go, which is not sensitive, and the rules for
 * `/cosi.resource.State/Get` of internal/app/machined/pkg/system/services/machined.go. Setup mode counts as off: security_state.go of
 * internal/app/machined/pkg/controllers/runtime.
 */
export const readBoot = async (talos: Talosctl, address: string): Promise<BootReading> => {
  const state = await machineState(address, talos.authority);
  if (state !== "blank" && state !== "member") return { state };
  const security =
    state === "blank"
      ? (await talos.waiting<SecurityState>(address, "securitystate")).map(({ spec }) => spec)
      : specsOf<SecurityState>(await talos.once(address, ["get", "securitystate", "--output", "yaml"], answerTimeout));
  return { state, isSecureBoot: security[0]?.secureBoot };
};

interface SecurityState {
  secureBoot?: boolean;
}

/**
 * Reads how a machine's disks are opened.
 *
 * Source: siderolabs/talos v1.13.9, pkg/machinery/resources/block/volume_status.go, which tells how a volume was opened when the machine booted.
 *
 * @throws Problem if it does not answer
 */
export const readDisks = async (talos: Talosctl, address: string): Promise<DisksReading> => {
  const ask = (...what: string[]) => talos.once(address, ["get", ...what, "--output", "yaml"], answerTimeout);
  const [config, printed] = await Promise.all([ask("machineconfig", "v1alpha1"), ask("volumestatus")]);
  const documents = printedDocuments(config);
  // Talos says how a volume is encrypted once it is open: encrypt.go of the controllers' block/internal/volumes.
  const volumes = parseAllDocuments(printed)
    .map((document) => document.toJS() as VolumeStatus | null)
    .flatMap((volume) => (volume?.spec?.encryptionProvider === "luks2" ? [volume] : []))
    .map(({ metadata, spec }) => ({
      name: metadata?.id ?? "",
      slot: spec?.encryptionSlot,
      keys: spec?.configuredEncryptionKeys ?? [],
      failed: spec?.encryptionFailedSyncs ?? [],
    }));
  return {
    configured: diskKeysOf(documents),
    volumes,
    closed: sealedVolumes(documents).filter((name) => !volumes.some((volume) => volume.name === name)),
    foreign: foreignKeys(documents),
  };
};

interface VolumeStatus {
  metadata?: { id?: string };
  spec?: {
    encryptionProvider?: string;
    encryptionSlot?: number;
    configuredEncryptionKeys?: string[];
    encryptionFailedSyncs?: string[];
  };
}

/** The specs of the resources that talosctl prints as YAML. */
const specsOf = <Spec>(printed: string): Spec[] =>
  parseAllDocuments(printed).flatMap((document) => (document.toJS() as { spec?: Spec } | null)?.spec ?? []);

/** Reads everything that a gate judges. What does not answer is a problem among the readings. */
export const readCluster = async ({ talos, kubeconfig, machines }: Access): Promise<Readings> => {
  const planes = Object.entries(machines).filter(([, { role }]) => role === "controlplane");
  const [etcd, apis, nodes] = await Promise.all([
    Promise.all(planes.map(([machine, { address }]) => etcdView(talos, machine, address))),
    Promise.all(planes.map(([machine, { address }]) => apiReading(kubeconfig, machine, address))),
    readNodes(kubeconfig).catch((): NodeReading[] => []),
  ]);
  return { etcd, apis, nodes };
};

/** How long etcd may take until it has a leader, and how long until it is asked again, in milliseconds. */
const election = { most: 60_000, pause: 1000 };

/** Reads the cluster once its etcd has a leader: control planes that answer may have restarted, and elect one. */
export const readLed = async (
  read: () => Promise<Readings>,
  live: (text: string) => void,
  { most, pause } = election,
): Promise<Readings> => {
  const deadline = Date.now() + most;
  for (;;) {
    const readings = await read();
    if (hasLeader(readings.etcd) || Date.now() > deadline) return readings;
    live("Waiting for etcd to have a leader");
    await sleep(pause);
  }
};

const etcdView = async (talos: Talosctl, machine: string, address: string): Promise<EtcdView> => {
  try {
    const ask = (...args: string[]) => talos.once(address, ["etcd", ...args], answerTimeout);
    const [members, status, alarms] = await Promise.all([ask("members"), ask("status"), ask("alarm", "list")]);
    return { machine, ...etcdStatus(status), members: etcdMembers(members), alarms: etcdAlarms(alarms) };
  } catch (error) {
    return { machine, problem: messageOf(error), members: [], alarms: [] };
  }
};

const apiReading = async (kubeconfig: string, machine: string, address: string) => {
  try {
    await new Kubernetes(kubeconfig, { host: address }).text("/readyz");
    return { machine };
  } catch (error) {
    return { machine, problem: messageOf(error) };
  }
};

/** A node with what a rollout reads of it. */
export interface Node extends NodeReading {
  /** How it was before a rollout took it out of service; undefined if none did. */
  mark: string | undefined;
  kubelet: string;
}

/** Reads the nodes of the cluster. */
export const readNodes = async (kubeconfig: string): Promise<Node[]> =>
  (await new Kubernetes(kubeconfig).list("/api/v1/nodes")).map(nodeOf);

const nodeOf = (object: KubernetesObject): Node => ({
  name: object.metadata.name,
  ...readiness(object),
  isCordoned: object.spec?.unschedulable === true,
  isTainted: ((object.spec?.taints ?? []) as { effect: string }[]).some(({ effect }) => effect !== "PreferNoSchedule"),
  mark: object.metadata.annotations?.[mark],
  ...nodeInfo(object.status?.nodeInfo as { kubeletVersion?: string; bootID?: string } | undefined),
});

const nodeInfo = ({ kubeletVersion = "", bootID = "" }: { kubeletVersion?: string; bootID?: string } = {}) => ({
  kubelet: kubeletVersion,
  boot: bootID,
});

/** The lowest and the highest release among API servers and kubelets. */
export const readKubernetes = async (
  { kubeconfig, machines }: Access,
  nodes: readonly Node[],
): Promise<{ lowest: string; highest: string }> => {
  const planes = Object.entries(machines).filter(([, { role }]) => role === "controlplane");
  const isOut = (machine: string): boolean =>
    nodes.some(({ name, mark: how }) => name === machine && how !== undefined);
  const apis = await Promise.all(
    planes.map(async ([name, { address }]) => {
      const ask = new Kubernetes(kubeconfig, { host: address }).get<{ gitVersion: string }>("/version");
      // A machine that an interrupted run took out of etcd has no API server.
      const found = await (isOut(name) ? ask.catch(() => undefined) : ask);
      return found?.gitVersion ?? "";
    }),
  );
  const versions = [...apis, ...nodes.filter(({ name }) => name in machines).map(({ kubelet }) => kubelet)]
    .flatMap((version) => semver.parse(version) ?? [])
    .sort(semver.compare)
    .map(({ version }) => `v${version}`);
  return { lowest: versions[0] ?? "", highest: versions.at(-1) ?? "" };
};

/** The machine whose member leads etcd. */
export const leaderOf = ({ etcd }: Readings): string | undefined => {
  const leader = etcd.find((view) => view.leader !== undefined)?.leader;
  return etcd.find(({ id }) => id !== undefined && id === leader)?.machine;
};

/** The members of etcd as one of them that knows a leader counts them; undefined if none does. */
export const membersOf = ({ etcd }: Readings): EtcdView["members"] | undefined =>
  etcd.find(({ problem, leader }) => problem === undefined && leader !== undefined)?.members;
