import { isDeepStrictEqual } from "node:util";

import { resourceTypes } from "../../components/resource-types.ts";
import {
  registeredTaints,
  taintChange,
  taintsAfter,
  type Taint,
  type TaintChange,
} from "../../components/talos/taints.ts";
import type { Kubernetes } from "../../lib/cluster/kubernetes.ts";
import { plain } from "../../lib/engine/value.ts";
import { machineDocuments, setting } from "../../policy/machine-documents.ts";
import { Problem } from "../../toolchain/problem.ts";
import type { ResourceChange, Resources, ResourceState } from "../preview/changes.ts";

interface Node {
  metadata: { resourceVersion: string };
  spec?: { taints?: Taint[] };
}

/** How often a node may change between its reading and its writing. Its kubelet reports every few seconds. */
const attempts = 10;

/** How the taints of workers change that run, by the names of their nodes. */
export const taintChanges = (
  changes: readonly ResourceChange[],
  before: Resources,
  after: Resources,
): Record<string, TaintChange> =>
  Object.fromEntries(
    changes
      .filter(({ type, operation }) => type === resourceTypes.machineConfiguration && operation === "update")
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
  const path = `/api/v1/nodes/${name}`;
  let refusal = "";
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const node = await kubernetes.get<Node>(path);
    const running = node?.spec?.taints ?? [];
    const taints = taintsAfter(running, change);
    if (!node || isDeepStrictEqual(taints, running)) return false;
    // With the version that was read, so that no taint is lost that somebody sets meanwhile.
    const { resourceVersion } = node.metadata;
    const patch = { metadata: { resourceVersion }, spec: { taints } };
    const { status, body } = await kubernetes.ask("PATCH", path, JSON.stringify(patch));
    if (status === 200) return true;
    refusal = `the API answers ${status}: ${body.slice(0, 200)}`;
    if (status !== 409) break;
  }
  throw new Problem(`The taints of ${name} cannot be set: ${refusal}`);
};
