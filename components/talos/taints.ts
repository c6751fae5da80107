import { section } from "./section.ts";

/** A taint as Kubernetes has it. A key may stand there once for each effect. */
export interface Taint {
  key: string;
  value?: string | undefined;
  /** `NoSchedule`, `PreferNoSchedule` or `NoExecute`. */
  effect: string;
}

/** The taint that a stack file writes under its key. @param text `value:Effect` or `Effect` */
export const taintOf = (key: string, text: string): Taint => {
  const [effect = "", value = ""] = text.split(":").reverse();
  return { key, ...(value !== "" && { value }), effect };
};

/** The taints with which a worker registers, of the `machine` section of its configuration. */
export const registeredTaints = (machine: unknown): Taint[] => {
  const taints = section(section(section(machine).kubelet).extraConfig).registerWithTaints;
  return Array.isArray(taints) ? (taints as Taint[]) : [];
};

/** How the taints of a worker change that runs. */
export interface TaintChange {
  /** What its node gets. Pods that are there stay. */
  set: Taint[];
  /** What its node loses. */
  removed: Taint[];
  /** What evicts pods at once, without regard to their budgets. A person decides when. */
  evicting: Taint[];
  /** What one of those takes the place of. It stays until then, so that no pod comes meanwhile. */
  replaced: Taint[];
}

/**
 * Returns how a worker's taints change; undefined if they do not.
 *
 * A worker registers with its taints, and the API server lets no kubelet change them later.
 * Source: Kubernetes v1.36.4, plugin/pkg/admission/noderestriction.
 */
export const taintChange = (before: readonly Taint[], after: readonly Taint[]): TaintChange | undefined => {
  const added = after.filter((taint) => !before.some((each) => isSame(each, taint) && each.value === taint.value));
  const gone = before.filter((taint) => !after.some((each) => isSame(each, taint)));
  if (added.length + gone.length === 0) return undefined;
  const evicts = ({ effect }: Taint): boolean => effect === "NoExecute";
  const evicting = added.filter(evicts);
  const isReplaced = ({ key }: Taint): boolean => evicting.some((each) => each.key === key);
  return {
    set: added.filter((taint) => !evicts(taint)),
    removed: gone.filter((taint) => !isReplaced(taint)),
    evicting,
    replaced: gone.filter(isReplaced),
  };
};

/** Returns the taints of a node after a change. Those that others set stay. */
export const taintsAfter = (running: readonly Taint[], { set, removed }: TaintChange): Taint[] => [
  ...running.filter((taint) => ![...set, ...removed].some((each) => isSame(each, taint))),
  ...set,
];

/** As `kubectl taint` takes it. @example "dedicated=storage:NoSchedule" */
export const taintText = ({ key, value, effect }: Taint): string =>
  `${key}${value === undefined ? "" : `=${value}`}:${effect}`;

/** As `kubectl taint` takes it to take it off. @example "dedicated=storage:NoSchedule-" */
export const removedText = (taint: Taint): string => `${taintText(taint)}-`;

/** Kubernetes tells taints apart by key and effect. */
const isSame = (one: Taint, other: Taint): boolean => one.key === other.key && one.effect === other.effect;
