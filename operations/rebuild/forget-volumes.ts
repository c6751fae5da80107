import type { Kubernetes, KubernetesObject } from "../../lab/kubernetes.ts";
import { lists, lostVolumes, type Inventory } from "./lost-volumes.ts";

const ceph = "/apis/ceph.rook.io/v1";

interface ResourceList {
  resources: { name: string; namespaced: boolean }[];
}

/**
 * Forgets what a recovered etcd still has of volumes whose disks are gone, so that Git makes it anew and backups are restored.
 *
 * @returns the claims that it forgot
 */
export const forgetLostVolumes = async (kubernetes: Kubernetes, before: string): Promise<string[]> => {
  const { claims, paths } = lostVolumes(await inventoryOf(kubernetes), before);
  for (const path of paths) await kubernetes.forget(path);
  return claims;
};

const inventoryOf = async (kubernetes: Kubernetes): Promise<Inventory> => {
  const listed = Object.entries(lists).map(async ([name, path]) => [name, await kubernetes.list(path)] as const);
  return {
    ...(Object.fromEntries(await Promise.all(listed)) as Record<keyof typeof lists, KubernetesObject[]>),
    ceph: await cephObjects(kubernetes),
  };
};

/** Everything of Ceph's own kinds, whichever this release of Rook has. */
const cephObjects = async (kubernetes: Kubernetes): Promise<Inventory["ceph"]> => {
  const kinds = (await kubernetes.get<ResourceList>(ceph))?.resources.filter(({ name }) => !name.includes("/")) ?? [];
  return Promise.all(
    kinds.map(async ({ name }) => ({ path: `${ceph}/${name}`, items: await kubernetes.list(`${ceph}/${name}`) })),
  );
};
