import { resourceTypes } from "../../components/resource-types.ts";
import { Kubernetes } from "../cluster/kubernetes.ts";
import { kubeconfigOf, type State } from "../engine/state.ts";
import { revealed } from "../engine/value.ts";

/** A Helm release by its namespace and name. */
export interface HelmRelease {
  namespace: string;
  name: string;
}

/** The releases that an engine had begun to install, and never reported. */
export const begunReleases = ({ deployment }: State): HelmRelease[] =>
  (deployment.pending_operations ?? [])
    .filter(({ type, resource }) => type === "creating" && resource.type === resourceTypes.helmRelease)
    .flatMap(({ resource }) => {
      const { name, namespace = "default" } = (revealed(resource.inputs) ?? {}) as Partial<HelmRelease>;
      return name === undefined ? [] : [{ namespace, name }];
    });

/**
 * Makes Helm forget the releases whose installation an engine had begun and nobody finished, so that they are installed again.
 *
 * Helm refuses to install under a name that it has a record of, and a record alone would be taken over as if all of it were
 * there. What the release made stays, and the new installation takes it over, because it carries the release's name.
 */
export const forgetBegunReleases = async (state: State): Promise<void> => {
  const releases = begunReleases(state);
  const kubeconfig = kubeconfigOf(state);
  if (releases.length === 0 || kubeconfig === undefined) return;
  const kubernetes = new Kubernetes(kubeconfig);
  for (const { namespace, name } of releases) {
    const selector = encodeURIComponent(`owner=helm,name=${name},status!=deployed`);
    const records = await kubernetes.list(`/api/v1/namespaces/${namespace}/secrets?labelSelector=${selector}`);
    for (const { metadata } of records) {
      await kubernetes.delete(`/api/v1/namespaces/${namespace}/secrets/${metadata.name}`);
    }
  }
};
