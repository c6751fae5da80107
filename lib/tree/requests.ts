import { at, listAt, textAt } from "../../infra/tree-objects.ts";
import { podSpecOf } from "./rules/images.ts";

/** What pods ask for, or machines have: processor in thousandths of a core, memory in bytes. */
export interface Resources {
  cpu: number;
  memory: number;
}

export const none: Resources = { cpu: 0, memory: 0 };

export const plus = (one: Resources, other: Resources): Resources => ({
  cpu: one.cpu + other.cpu,
  memory: one.memory + other.memory,
});

const most = (one: Resources, other: Resources): Resources => ({
  cpu: Math.max(one.cpu, other.cpu),
  memory: Math.max(one.memory, other.memory),
});

const times = ({ cpu, memory }: Resources, count: number): Resources => ({ cpu: cpu * count, memory: memory * count });

const factors: Record<string, number> = {
  ...{ "": 1, m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 },
};

/** The number that a quantity of Kubernetes stands for, such as `250m` or `1.5Gi`; 0 if it is none. */
export const quantity = (text: string | undefined): number => {
  const [, number = "0", suffix = ""] = /^(\d+(?:\.\d+)?)([mkMGTi]*)$/.exec(text ?? "") ?? [];
  return Number(number) * (factors[suffix] ?? 0);
};

const requestsOf = (container: unknown): Resources => ({
  cpu: quantity(textOf(at(container, "resources", "requests", "cpu"))) * 1000,
  memory: quantity(textOf(at(container, "resources", "requests", "memory"))),
});

const textOf = (value: unknown): string | undefined =>
  typeof value === "number" || typeof value === "string" ? String(value) : undefined;

/**
 * What the scheduler reserves for a pod: its containers together, or its hungriest init container if that asks for more.
 *
 * Source: Kubernetes, Pod resource requests; init containers with restartPolicy Always stay, and count as containers.
 */
export const requestsOfPod = (spec: unknown): Resources => {
  const inits = listAt(spec, "initContainers");
  const stays = (container: unknown): boolean => textAt(container, "restartPolicy") === "Always";
  const staying = [...listAt(spec, "containers"), ...inits.filter(stays)].map(requestsOf).reduce(plus, none);
  return inits
    .filter((container) => !stays(container))
    .map(requestsOf)
    .reduce(most, staying);
};

/** Pods of an object: what each asks for, and how many there are. */
export interface Pods {
  each: Resources;
  count: number;
}

/**
 * The pods that an object keeps running; undefined if it keeps none. Jobs come and go.
 *
 * @param nodes number of nodes, which each have a pod of a DaemonSet
 */
export const podsOf = (object: { kind: string; object: unknown }, nodes: number): Pods | undefined => {
  const { kind, object: manifest } = object;
  const spec = at(manifest, ...podSpecOf(kind));
  switch (kind) {
    case "Deployment":
    case "StatefulSet":
      return { each: requestsOfPod(spec), count: countOf(at(manifest, "spec", "replicas") ?? 1) };
    case "DaemonSet":
      return { each: requestsOfPod(spec), count: nodes };
    case "Cluster": {
      // A database of CloudNativePG.
      const instances = at(manifest, "spec", "instances");
      return instances === undefined
        ? undefined
        : { each: requestsOf(at(manifest, "spec")), count: countOf(instances) };
    }
    default:
      return undefined;
  }
};

/** A number of pods; 0 for what is none, which another check finds. */
const countOf = (value: unknown): number => (typeof value === "number" && value > 0 ? value : 0);

/** What all pods together ask for. */
export const total = (pods: readonly Pods[]): Resources =>
  pods.map(({ each, count }) => times(each, count)).reduce(plus, none);
