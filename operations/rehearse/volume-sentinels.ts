import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import type { Kubernetes, KubernetesObject } from "../../lib/cluster/kubernetes.ts";
import { Problem } from "../../toolchain/problem.ts";
import { databaseWith } from "./database.ts";
import { driverOf, onMachines } from "../rebuild/lost-volumes.ts";

/** A claim that VolSync backs up. */
export interface BackedUpVolume {
  namespace: string;
  /** Name of its ReplicationSource. */
  source: string;
  claim: string;
  /** Security context of its mover, which may write into the volume. */
  securityContext: object;
  /** Whether its data is on the disks of the cluster's machines, and is lost with them. */
  isOnMachines: boolean;
}

interface ReplicationSource extends KubernetesObject {
  spec: { sourcePVC: string; restic?: { moverSecurityContext?: object }; trigger?: { manual?: string } };
  status?: { lastManualSync?: string; lastSyncTime?: string; lastSyncStartTime?: string };
}

/** Names of the databases that a rehearsal writes: one before the backup, one after it. */
export const sentinelFiles = { early: "hearth-rehearsal.sqlite", late: "hearth-rehearsal-late.sqlite" };

const sources = "/apis/volsync.backube/v1alpha1/replicationsources";

/** Timeout for a pod to start and stop, and for a backup to end, in milliseconds. */
const timeout = 10 * 60_000;

/** The claims that restic backs up, in all namespaces. */
export const backedUpVolumes = async (kubernetes: Kubernetes): Promise<BackedUpVolume[]> => {
  const claims = await kubernetes.list("/api/v1/persistentvolumeclaims");
  const volumes = await kubernetes.list("/api/v1/persistentvolumes");
  const driver = (namespace: string, name: string): string => {
    const claim = claims.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
    const volume = volumes.find(({ metadata }) => metadata.name === claim?.spec?.volumeName);
    return volume === undefined ? "" : driverOf(volume);
  };
  return ((await kubernetes.list(sources)) as ReplicationSource[])
    .filter(({ spec }) => spec.restic !== undefined)
    .map(({ metadata: { name, namespace = "" }, spec }) => ({
      namespace,
      source: name,
      claim: spec.sourcePVC,
      securityContext: spec.restic?.moverSecurityContext ?? {},
      isOnMachines: onMachines.test(driver(namespace, spec.sourcePVC)),
    }));
};

/** Writes a SQLite database with a random row into a volume, and returns its content. */
export const writeSentinel = async (kubernetes: Kubernetes, volume: BackedUpVolume, file: string): Promise<Buffer> => {
  const content = await databaseWith(randomBytes(16).toString("hex"));
  await inVolume(kubernetes, volume, `echo ${content.toString("base64")} | base64 -d > /data/${file} && sync`);
  return content;
};

/** The content of a written file; undefined if the file is gone. */
export const readSentinel = async (
  kubernetes: Kubernetes,
  volume: BackedUpVolume,
  file: string,
): Promise<Buffer | undefined> => {
  const said = await inVolume(kubernetes, volume, `if test -e /data/${file}; then base64 /data/${file}; fi`);
  return said.trim() === "" ? undefined : Buffer.from(said.trim(), "base64");
};

/** Removes the written files. */
export const removeSentinels = async (kubernetes: Kubernetes, volume: BackedUpVolume): Promise<void> => {
  const files = Object.values(sentinelFiles).map((file) => `/data/${file}`);
  await inVolume(kubernetes, volume, `rm -f ${files.join(" ")}`);
};

/** Makes VolSync back up a volume now, and waits until the backup is done. */
export const backUp = async (kubernetes: Kubernetes, { namespace, source }: BackedUpVolume): Promise<void> => {
  const path = `${sources.replace("/replicationsources", "")}/namespaces/${namespace}/replicationsources/${source}`;
  const status = async () => (await kubernetes.get<ReplicationSource>(path))?.status;
  // A running backup may have copied the volume before now.
  await until(`the backup of ${namespace}/${source} that is under way`, async () => {
    const { lastSyncTime, lastSyncStartTime } = (await status()) ?? {};
    return lastSyncTime !== undefined && lastSyncStartTime === undefined;
  });
  const manual = `hearth-${Date.now()}`;
  await kubernetes.merge(path, { spec: { trigger: { manual } } });
  try {
    await until(`the backup of ${namespace}/${source}`, async () => (await status())?.lastManualSync === manual);
  } finally {
    // Restores the schedule as the only trigger.
    await kubernetes.merge(path, { spec: { trigger: { manual: null } } });
  }
};

/** Runs a line of bash with a volume at /data, and returns its output. */
const inVolume = async (kubernetes: Kubernetes, volume: BackedUpVolume, line: string): Promise<string> => {
  const pods = `/api/v1/namespaces/${volume.namespace}/pods`;
  const name = `hearth-rehearsal-${volume.claim}`;
  const path = `${pods}/${name}`;
  await remove(kubernetes, path);
  await kubernetes.create(pods, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: volume.namespace },
    spec: await podSpec(kubernetes, volume, line),
  });
  let phase = "";
  await until(`the pod ${volume.namespace}/${name}`, async () => {
    phase = String((await kubernetes.get<KubernetesObject>(path))?.status?.phase);
    return phase === "Succeeded" || phase === "Failed";
  });
  const said = await kubernetes.text(`${path}/log`);
  await remove(kubernetes, path);
  if (phase === "Failed") throw new Problem(`The pod ${volume.namespace}/${name} failed: ${said.trim()}`);
  return said;
};

const remove = async (kubernetes: Kubernetes, path: string): Promise<void> => {
  await kubernetes.delete(path);
  await until(`the end of ${path}`, async () => (await kubernetes.get(path)) === undefined);
};

/** Uses the mover's image: every machine with a backup has it, and it includes bash. */
const podSpec = async (kubernetes: Kubernetes, volume: BackedUpVolume, line: string): Promise<object> => {
  const node = await nodeOf(kubernetes, volume);
  return {
    // A volume that only one machine at a time may mount is where its app is.
    ...(node !== undefined && { nodeSelector: { "kubernetes.io/hostname": node } }),
    restartPolicy: "Never",
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 1,
    securityContext: volume.securityContext,
    containers: [
      {
        name: "bash",
        image: await moverImage(kubernetes),
        command: ["/bin/bash"],
        args: ["-c", line],
        resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "64Mi" } },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        },
        volumeMounts: [{ name: "data", mountPath: "/data" }],
      },
    ],
    volumes: [{ name: "data", persistentVolumeClaim: { claimName: volume.claim } }],
  };
};

interface Pod extends KubernetesObject {
  spec: { nodeName?: string; volumes?: { persistentVolumeClaim?: { claimName: string } }[] };
}

const nodeOf = async (kubernetes: Kubernetes, { namespace, claim }: BackedUpVolume): Promise<string | undefined> => {
  const pods = (await kubernetes.list(`/api/v1/namespaces/${namespace}/pods`)) as Pod[];
  return pods.find(
    ({ spec, status }) =>
      status?.phase === "Running" &&
      spec.volumes?.some(({ persistentVolumeClaim: mounted }) => mounted?.claimName === claim),
  )?.spec.nodeName;
};

interface Deployment extends KubernetesObject {
  spec: { template: { spec: { containers: { args?: string[] }[] } } };
}

const moverImage = async (kubernetes: Kubernetes): Promise<string> => {
  const deployments = (await kubernetes.list("/apis/apps/v1/deployments")) as Deployment[];
  const args = deployments.flatMap(({ spec }) => spec.template.spec.containers.flatMap((each) => each.args ?? []));
  const flag = "--restic-container-image=";
  const found = args.find((arg) => arg.startsWith(flag))?.slice(flag.length);
  if (found === undefined) throw new Problem("VolSync does not run in the cluster: volumes cannot be rehearsed");
  return found;
};

const until = async (what: string, isDone: () => Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + timeout;
  while (!(await isDone())) {
    if (Date.now() > deadline)
      throw new Problem(`${what} took more than ${timeout / 60_000} minutes: look at it with kubectl describe`);
    await sleep(500);
  }
};
