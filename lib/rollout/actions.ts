import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { Problem } from "../../toolchain/problem.ts";
import { withDiskKeys, type DiskKey } from "../cluster/disk-keys.ts";
import { askedForConfiguration, printedText } from "../cluster/machine-text.ts";
import { withPrivateFolder } from "../secrets/private-folder.ts";
import type { DisksReading } from "./disks.ts";
import { Kubernetes, type KubernetesObject } from "../cluster/kubernetes.ts";
import { apiServerStart } from "../cluster/api-server.ts";
import { printedDocuments, untried, withoutVips } from "../cluster/machine-configuration.ts";
import { etcdMembers } from "../cluster/talosctl.ts";
import { podsToEvict, type Pod } from "./drain.ts";
import { formerPlane } from "./former-plane.ts";
import type { Readings } from "./gates.ts";
import { readHealth, type Health } from "./health.ts";
import type { HealthCheck } from "./health-check.ts";
import {
  mark,
  readBoot,
  readCluster,
  readDisks,
  readKubernetes,
  readMachine,
  readNodes,
  type Access,
  type BootReading,
  type MachineReading,
} from "./read.ts";
import type { TalosImage } from "./step.ts";

/** What a step asks of a cluster, and does to it. */
export interface Actions {
  /** Reads what a gate judges, etcd and the API of these machines. */
  readings: (machines: readonly string[]) => Promise<Readings>;
  /** What of the health that a stack file asks for holds. */
  health: () => Promise<Health>;
  /** @throws Problem if the machine does not answer */
  machine: (name: string) => Promise<MachineReading>;
  /** How a machine answers that a person may have booted. */
  boot: (name: string) => Promise<BootReading>;
  /** When the API server of a control plane began. @throws Error if it is not ready */
  apiServerStart: (name: string) => Promise<string>;
  /** The lowest and the highest release of Kubernetes that runs on these machines. */
  kubernetes: (machines: readonly string[]) => Promise<{ lowest: string; highest: string }>;
  /** Cordons a node, and marks it for a run that goes on with this one. Done again, it changes nothing. */
  takeOut: (name: string) => Promise<void>;
  /** Takes the mark off, and what is left of another role, and uncordons the node unless it was cordoned before. */
  putBack: (name: string) => Promise<void>;
  /** The pods that have to leave the node, and have not. */
  pods: (name: string) => Promise<Pod[]>;
  /** @throws Unanswered with status 429 where a budget does not allow it yet */
  evict: (pod: Pod) => Promise<void>;
  /** The volumes of these pods that are still attached to the node. */
  attached: (name: string, pods: readonly Pod[]) => Promise<string[]>;
  /** Has a machine pull an installer, so that one that is missing stops a rollout before its first step. */
  pull: (name: string, image: TalosImage) => Promise<void>;
  /** Installs an image on a machine, and has it reboot. */
  install: (name: string, image: TalosImage) => Promise<void>;
  /** How a machine's disks are opened. @throws Problem if it does not answer */
  disks: (name: string) => Promise<DisksReading>;
  /** Has a machine's encrypted disks have these keys beside their recovery keys, from its next start on. */
  giveDiskKeys: (name: string, keys: readonly DiskKey[]) => Promise<void>;
  /** Restarts a machine. */
  reboot: (name: string) => Promise<void>;
  /** Wipes the disks that Talos uses, with the boot loader, and has the machine reboot. */
  wipe: (name: string) => Promise<void>;
  /** Takes the configuration of a machine that was wiped from the state. */
  forget: (name: string) => Promise<void>;
  /** Gives a machine what the program declares of it. */
  configure: (name: string) => Promise<void>;
  /** Upgrades Kubernetes through one of these machines. */
  upgradeKubernetes: (to: string, machines: readonly string[]) => Promise<void>;
  /**
   * Has a control plane give its VIPs up, so that another one takes them at once. It stands for them again when it is configured, when it
   * boots, or after a minute.
   */
  giveUpVips: (name: string) => Promise<void>;
  /** Has the etcd member of a machine give its leadership to another one, if it leads. */
  forfeitLeadership: (name: string) => Promise<void>;
  /** Has a machine take its own member out of etcd. */
  leaveEtcd: (name: string) => Promise<void>;
  /** Takes the member of a machine that is lost out of etcd, through another machine. */
  removeMember: (name: string, through: string) => Promise<void>;
  /** Destroys what the program declared of a machine. One that is lost cannot be reset, and is forgotten. */
  remove: (name: string, isLost: boolean) => Promise<void>;
  /** Deletes the node of a machine that is gone. */
  deleteNode: (name: string) => Promise<void>;
}

/** The actions that the engine carries out. */
export type EngineActions = Pick<Actions, "configure" | "forget" | "remove">;

/**
 * The actions on a cluster that is reached as its administrator.
 *
 * @param drainsByItself whether talosctl would drain a node itself, which is done already
 */
export const clusterActions = (
  access: Access,
  { drainsByItself, health }: { drainsByItself: boolean; health: readonly HealthCheck[] },
): Omit<Actions, keyof EngineActions> => {
  const { talos, kubeconfig, machines } = access;
  const kubernetes = new Kubernetes(kubeconfig);
  const addressOf = (name: string): string => machines[name]?.address ?? "";
  /** The cluster as it is when only these machines are in it. */
  const among = (names: readonly string[]): Access => ({
    ...access,
    machines: Object.fromEntries(Object.entries(machines).filter(([name]) => names.includes(name))),
  });
  const nodePath = (name: string): string => `/api/v1/nodes/${name}`;
  const onNode = async (name: string): Promise<KubernetesObject[]> =>
    kubernetes.list(`/api/v1/pods?fieldSelector=${encodeURIComponent(`spec.nodeName=${name}`)}`);
  return {
    readings: (names) => readCluster(among(names)),
    health: () => readHealth(kubernetes, health),
    machine: (name) => readMachine(talos, addressOf(name)),
    boot: (name) => readBoot(talos, addressOf(name)),
    apiServerStart: (name) => apiServerStart(new Kubernetes(kubeconfig, { host: addressOf(name) })),
    kubernetes: async (names) => readKubernetes(among(names), await readNodes(kubeconfig)),
    takeOut: async (name) => {
      const node = (await readNodes(kubeconfig)).find((each) => each.name === name);
      // A machine without a node has nothing to drain.
      if (!node) return;
      const before = node.mark ?? (node.isCordoned ? "cordoned" : "schedulable");
      await kubernetes.merge(nodePath(name), {
        metadata: { annotations: { [mark]: before } },
        spec: { unschedulable: true },
      });
    },
    putBack: async (name) => {
      const node = (await readNodes(kubeconfig)).find((each) => each.name === name);
      if (node?.mark === undefined) return;
      if (machines[name]?.role === "worker") await kubernetes.adjust(nodePath(name), formerPlane);
      await kubernetes.merge(nodePath(name), {
        metadata: { annotations: { [mark]: null } },
        ...(node.mark !== "cordoned" && { spec: { unschedulable: null } }),
      });
    },
    pods: async (name) => podsToEvict(await onNode(name)),
    evict: ({ namespace, name }) => kubernetes.evict(namespace, name),
    attached: async (name, pods) => {
      const claims = pods.flatMap((pod) => pod.claims.map((claim) => ({ namespace: pod.namespace, claim })));
      if (claims.length === 0) return [];
      const volumes = await Promise.all(
        claims.map(({ namespace, claim }) =>
          kubernetes.get<KubernetesObject>(`/api/v1/namespaces/${namespace}/persistentvolumeclaims/${claim}`),
        ),
      );
      const names = volumes.flatMap((claim) => (claim?.spec?.volumeName === undefined ? [] : [claim.spec.volumeName]));
      const attachments = await kubernetes.list("/apis/storage.k8s.io/v1/volumeattachments");
      return attachments
        .filter(({ spec, status }) => spec?.nodeName === name && status?.attached === true)
        .flatMap(
          ({ spec }) => (spec?.source as { persistentVolumeName?: string } | undefined)?.persistentVolumeName ?? [],
        )
        .filter((volume) => names.includes(volume));
    },
    pull: async (name, { installer }) => {
      await talos
        .once(addressOf(name), ["image", "pull", "--namespace", "system", installer], installTimeout)
        .catch((error: unknown) => {
          // A machine without that service pulls before it reboots.
          if (!(error instanceof Problem && /Unimplemented|unknown (method|service)/i.test(error.message))) throw error;
        });
    },
    install: async (name, { installer }) => {
      const drain = drainsByItself ? ["--drain=false"] : [];
      await talos.once(addressOf(name), ["upgrade", "--image", installer, "--wait=false", ...drain], installTimeout);
    },
    upgradeKubernetes: async (to, names) => {
      const [first = ""] = Object.values(among(names).machines).flatMap(({ role, address }) =>
        role === "controlplane" ? address : [],
      );
      // Without comments in the configuration, which the program does not render either.
      const plain = ["--with-docs=false", "--with-examples=false"];
      await talos.once(first, ["upgrade-k8s", "--to", to.replace(/^v/, ""), ...plain], kubernetesTimeout);
    },
    disks: (name) => readDisks(talos, addressOf(name)),
    giveDiskKeys: async (name, keys) => {
      const text = await untried(
        async () => printedText(await talos.once(addressOf(name), askedForConfiguration, patchTimeout)),
        { machine: name, hasVip: machines[name]?.hasVip === true },
      );
      await withPrivateFolder(async (folder) => {
        const file = join(folder, "machine.yaml");
        await writeFile(file, withDiskKeys(text, keys), { mode: 0o600 });
        await talos.once(addressOf(name), ["apply-config", "--mode", "no-reboot", "--file", file], patchTimeout);
      });
    },
    reboot: async (name) => {
      await talos.once(addressOf(name), ["reboot", "--wait=false"], etcdTimeout);
    },
    wipe: async (name) => {
      // Without partitions to wipe, whole disks are. Source: siderolabs/talos v1.13.9, Reset of
      // internal/app/machined/internal/server/v1alpha1/v1alpha1_server.go, and GetSystemDiskPaths of pkg/machinery/resources/block/block.go.
      const how = ["--graceful=false", "--reboot", "--wait=false", "--wipe-mode", "system-disk"];
      await talos.once(addressOf(name), ["reset", ...how], etcdTimeout);
    },
    giveUpVips: async (name) => {
      const printed = await talos.once(addressOf(name), askedForConfiguration, patchTimeout);
      const patch = withoutVips(printedDocuments(printed));
      if (patch === undefined) return;
      const trying = ["--mode", "try", "--timeout", "1m"];
      await talos.once(addressOf(name), ["patch", "machineconfig", ...trying, "--patch", patch], patchTimeout);
    },
    forfeitLeadership: async (name) => {
      await talos.once(addressOf(name), ["etcd", "forfeit-leadership"], etcdTimeout);
    },
    leaveEtcd: async (name) => {
      await talos.once(addressOf(name), ["etcd", "leave"], etcdTimeout);
    },
    removeMember: async (name, through) => {
      const members = etcdMembers(await talos.once(addressOf(through), ["etcd", "members"], etcdTimeout));
      for (const { id } of members.filter((member) => member.name === name))
        await talos.once(addressOf(through), ["etcd", "remove-member", id], etcdTimeout);
    },
    deleteNode: (name) => kubernetes.delete(nodePath(name)),
  };
};

/** How long a machine may take to pull and install an image, in milliseconds. */
const installTimeout = 15 * 60_000;

/** How long a machine may take to change its configuration, in milliseconds. */
const patchTimeout = 30_000;

/** How long etcd may take to change its members, in milliseconds: Talos itself tries for five minutes. */
const etcdTimeout = 6 * 60_000;

/** How long all machines may take for another Kubernetes release, in milliseconds. */
const kubernetesTimeout = 60 * 60_000;
