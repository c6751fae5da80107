import type { Kubernetes } from "../lib/cluster/kubernetes.ts";

/** A Helm release by its namespace and name. */
export interface HelmRelease {
  namespace: string;
  name: string;
}

/**
 * Makes Helm forget a release whose installation nobody finished, so that it can be installed again.
 *
 * Helm refuses to install under a name that it has a record of, whatever became of it. What the release made stays, and the
 * new installation takes it over, because it carries the release's name.
 */
export const forgetRelease = async (kubernetes: Kubernetes, { namespace, name }: HelmRelease): Promise<void> => {
  const selector = encodeURIComponent(`owner=helm,name=${name}`);
  const records = await kubernetes.list(`/api/v1/namespaces/${namespace}/secrets?labelSelector=${selector}`);
  for (const { metadata } of records) {
    await kubernetes.delete(`/api/v1/namespaces/${namespace}/secrets/${metadata.name}`);
  }
};
