import { setTimeout as sleep } from "node:timers/promises";

import type { Kubernetes, KubernetesObject } from "../../lib/cluster/kubernetes.ts";
import { lists, lostVolumes, type Inventory } from "./lost-volumes.ts";

const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/** Suffix of the names of Rook's definitions. */
const cephGroup = ".ceph.rook.io";

/** How long an API server may refuse requests after its start, in milliseconds. */
const defaultTimeout = 120_000;

/**
 * Deletes objects of volumes whose disks are gone from a recovered etcd, so that Git creates them again and backups are restored.
 *
 * @returns the claims that it deleted
 */
export const forgetLostVolumes = async (
  kubernetes: Kubernetes,
  before: string,
  timeout = defaultTimeout,
): Promise<string[]> => {
  const deadline = Date.now() + timeout;
  const lost = new Set<string>();
  for (;;) {
    try {
      const { claims, paths } = lostVolumes(await inventoryOf(kubernetes), before);
      for (const claim of claims) lost.add(claim);
      for (const path of paths) await kubernetes.forget(path);
      return [...lost];
    } catch (error) {
      // An API server that has just started serves its built-in kinds before all others.
      if (Date.now() >= deadline) throw error;
      await sleep(1000);
    }
  }
};

const inventoryOf = async (kubernetes: Kubernetes): Promise<Inventory> => {
  const defined = (await kubernetes.list(definitions)).map(({ metadata }) => metadata.name);
  const listed = Object.entries(lists).map(
    async ([name, path]) => [name, await objectsAt(kubernetes, path, defined)] as const,
  );
  const cephKinds = defined.flatMap((name) => (name.endsWith(cephGroup) ? name.slice(0, -cephGroup.length) : []));
  const ceph = cephKinds.map(async (kind) => {
    const path = `/apis/ceph.rook.io/v1/${kind}`;
    return { path, items: await objectsAt(kubernetes, path, defined) };
  });
  // Awaited together, so that no rejection goes unhandled.
  const [all, cephObjects] = await Promise.all([Promise.all(listed), Promise.all(ceph)]);
  return { ...(Object.fromEntries(all) as Record<keyof typeof lists, KubernetesObject[]>), ceph: cephObjects };
};

/** The objects of a kind; empty if the kind is not defined. A kind that is defined but not served yet may have objects. */
const objectsAt = async (
  kubernetes: Kubernetes,
  path: string,
  defined: readonly string[],
): Promise<KubernetesObject[]> => {
  const found = await kubernetes.get<{ items: KubernetesObject[] }>(path);
  if (found !== undefined) return found.items;
  const [, , group = "", , plural = ""] = path.split("/");
  if (path.startsWith("/api/") || defined.includes(`${plural}.${group}`)) throw new Error(`${path} is not served yet`);
  return [];
};
