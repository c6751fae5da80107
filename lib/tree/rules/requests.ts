import type { HearthConfig } from "../../../infra/config/index.ts";
import { clusterFolder } from "../../../infra/facts.ts";
import { platformOf } from "../../../infra/platforms/index.ts";
import type { Finding } from "../render.ts";
import { podsOf, total, type Pods, type Resources } from "../requests.ts";
import { called, everything, findingAt, type Rule, type TreeObject } from "./rule.ts";

/** What Talos keeps for itself on each machine. Source: siderolabs/talos v1.13.9, pkg/machinery/constants/constants.go. */
const reserved = { cpu: 50, memory: { controlplane: 512 * 2 ** 20, worker: 384 * 2 ** 20 } } as const;

/** Memory that the kubelet keeps free. Source: Kubernetes, kubelet's default evictionHard, memory.available. */
const keptFree = 100 * 2 ** 20;

/**
 * What the machines that run pods have for them; undefined for a machine of which that is not known, as it is of metal.
 *
 * A control plane of Talos runs pods where it is told to, or where there is no worker.
 */
export const roomOf = ({ nodes, cluster }: HearthConfig): (Resources | undefined)[] => {
  const all = Object.values(nodes);
  const onPlanes = cluster.scheduleOnControlPlanes ?? all.every(({ role }) => role === "controlplane");
  return all
    .filter(({ role }) => role === "worker" || onPlanes)
    .map((node) => {
      const place = platformOf(node).placement(node);
      if (place === undefined) return undefined;
      return {
        cpu: place.cores * 1000 - reserved.cpu,
        memory: place.memory * 2 ** 20 - reserved.memory[node.role] - keptFree,
      };
    });
};

const units = {
  cpu: (value: number) => `${(value / 1000).toFixed(1)} cores`,
  memory: (value: number) => `${(value / 2 ** 30).toFixed(1)} GiB of memory`,
} as const;

const kinds = ["cpu", "memory"] as const;

interface Asking {
  object: TreeObject;
  pods: Pods;
}

/**
 * Pods that cannot all be scheduled on the stack's machines, or one that fits on none. It counts what the tree and the charts at hand
 * have; operators and other charts ask for more. Where a machine's size is not known, nothing is found.
 */
export const requests: Rule = (tree) => {
  const room = roomOf(tree.config);
  if (room.length === 0 || room.includes(undefined)) return [];
  const known = room.filter((each) => each !== undefined);
  const asking = everything(tree).flatMap((object): Asking[] => {
    const pods = podsOf(object, known.length);
    return pods ? [{ object, pods }] : [];
  });
  return kinds.flatMap((kind): Finding[] => {
    const largest = Math.max(...known.map((each) => each[kind]));
    const misfits = asking
      .filter(({ pods }) => pods.count > 0 && pods.each[kind] > largest)
      .flatMap(({ object, pods }) =>
        findingAt(tree, object, {
          message: `${called(object)} asks for ${units[kind](pods.each[kind])}, and the largest machine has ${units[kind](largest)} for pods`,
          advice: "ask for less, or give a machine more under hearth:nodes",
        }),
      );
    const wanted = total(asking.map(({ pods }) => pods))[kind];
    const there = known.reduce((sum, each) => sum + each[kind], 0);
    return misfits.length > 0 || wanted <= there ? misfits : [tooMuch(tree.config, kind, { wanted, there, asking })];
  });
};

const tooMuch = (
  { gitops }: HearthConfig,
  kind: (typeof kinds)[number],
  { wanted, there, asking }: { wanted: number; there: number; asking: readonly Asking[] },
): Finding => {
  const share = ({ pods }: Asking): number => pods.each[kind] * pods.count;
  const first = [...asking].sort((a, b) => share(b) - share(a)).slice(0, 3);
  return {
    file: `${clusterFolder(gitops)}/kustomization.yaml`,
    message: `pods ask for ${units[kind](wanted)} at least, and the machines have ${units[kind](there)} for them`,
    advice:
      "give the machines more under hearth:nodes, or turn systems off here; the hungriest are " +
      first.map((each) => `${called(each.object)} (${units[kind](share(each))})`).join(", "),
  };
};
