import { isDeepStrictEqual } from "node:util";

import { resourceTypes } from "../../components/resource-types.ts";
import {
  registeredTaints,
  taintChange,
  taintsAfter,
  type Taint,
  type TaintChange,
} from "../../components/talos/taints.ts";
import type { Kubernetes, KubernetesObject } from "../../lib/cluster/kubernetes.ts";
import { plain } from "../../lib/engine/value.ts";
import { machineDocuments, setting } from "../../policy/machine-documents.ts";
import { messageOf, Problem } from "../../toolchain/problem.ts";
import type { ResourceChange, Resources, ResourceState } from "../preview/changes.ts";

/** How the taints of workers change that run, by the names of their nodes. The node of a machine that is replaced stays. */
export const taintChanges = (
  changes: readonly ResourceChange[],
  before: Resources,
  after: Resources,
): Record<string, TaintChange> =>
  Object.fromEntries(
    changes
      .filter(
        ({ type, operation }) =>
          type === resourceTypes.machineConfiguration && ["update", "replace"].includes(operation),
      )
      .flatMap(({ urn, name }) => {
        const change = taintChange(taintsIn(before.get(urn)), taintsIn(after.get(urn)));
        return change ? [[name, change]] : [];
      }),
  );

const taintsIn = (resource: ResourceState | undefined): Taint[] => {
  const inputs = plain(resource?.inputs ?? {}) as Record<string, unknown>;
  return registeredTaints({ kubelet: setting(machineDocuments({ inputs }), "machine", "kubelet") });
};

/**
 * Sets the taints of a node that change, and leaves those that others set.
 *
 * @returns whether the node is there, and was not so already
 * @throws Problem if the API refuses
 */
export const setTaints = async (kubernetes: Kubernetes, name: string, change: TaintChange): Promise<boolean> => {
  const patchOf = ({ spec }: KubernetesObject): { spec: object } | undefined => {
    const running = (spec?.taints ?? []) as Taint[];
    const taints = taintsAfter(running, change);
    return isDeepStrictEqual(taints, running) ? undefined : { spec: { taints } };
  };
  return kubernetes.adjust(`/api/v1/nodes/${name}`, patchOf).catch((error: unknown) => {
    throw new Problem(`The taints of ${name} cannot be set: ${messageOf(error)}`);
  });
};
