import { randomBytes } from "node:crypto";

import type { Kubernetes, KubernetesObject } from "../../lib/cluster/kubernetes.ts";

/** Names of the objects that a rehearsal creates: one before the backup, one after it. */
export const sentinels = { early: "hearth-rehearsal", late: "hearth-rehearsal-late" };

const place = "/api/v1/namespaces/default/configmaps";

/** Writes an object with a random value into etcd, and returns the value. */
export const create = async (kubernetes: Kubernetes, name: string): Promise<string> => {
  const value = randomBytes(16).toString("hex");
  await kubernetes.delete(`${place}/${name}`);
  await kubernetes.create(place, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: "default" },
    data: { value },
  });
  return value;
};

/** The value of a created object; undefined if the object is gone. */
export const created = async (kubernetes: Kubernetes, name: string): Promise<string | undefined> =>
  (await kubernetes.get<KubernetesObject>(`${place}/${name}`))?.data?.value;

/** Removes the created objects. */
export const remove = async (kubernetes: Kubernetes): Promise<void> => {
  for (const name of Object.values(sentinels)) await kubernetes.delete(`${place}/${name}`);
};
