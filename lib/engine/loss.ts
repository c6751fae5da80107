import { resourceTypes } from "../../components/resource-types.ts";
import { nameOf } from "../../components/urn.ts";
import { resourceFacts } from "../../infra/platforms/index.ts";
import type { State, StateResource } from "./state.ts";

/** What was lost: machines by their names, and with all control planes everything that lived in the cluster. */
export interface Loss {
  machines: readonly string[];
  isClusterLost: boolean;
}

const ofCluster = new Set<string>([resourceTypes.bootstrap, resourceTypes.kubeconfig]);

const isLost = (resource: StateResource, { machines, isClusterLost }: Loss): boolean => {
  const { type } = resource;
  const lostWith = type === resourceTypes.machineConfiguration ? "its machine" : resourceFacts(type)?.lostWith;
  if (lostWith === "its machine") return machines.includes(nameOf(resource.urn));
  if (lostWith === "any machine") return machines.length > 0;
  return isClusterLost && (ofCluster.has(type) || type.startsWith("kubernetes:"));
};

/**
 * The state without what was lost, and without what an engine began and never reported.
 *
 * What is forgotten here and exists all the same is found again by the update that follows.
 */
export const withoutLost = (state: State, loss: Loss): State => {
  const { deployment, ...rest } = without(state, (each) => isLost(each, loss));
  return { ...rest, deployment: { ...deployment, pending_operations: [] } };
};

/** A state without some of its resources, and with nothing that points to them. */
export const without = (state: State, isGone: (resource: StateResource) => boolean): State => {
  const resources = state.deployment.resources ?? [];
  const gone = new Set(resources.filter(isGone).map(({ urn }) => urn));
  const remaining = resources.filter(({ urn }) => !gone.has(urn)).map((each) => withoutReferences(each, gone));
  return { ...state, deployment: { ...state.deployment, resources: remaining } };
};

/**
 * A state in which nothing points to some resources, so that an update with targets can delete those alone: the engine keeps what a
 * resource points to that is no target. Source: pulumi 3.259.0, pkg/resource/deploy/step_generator.go, getDependencySteps.
 *
 * @param forgotten those of them that the state has no more
 */
export const detached = (state: State, urns: readonly string[], forgotten: readonly string[] = []): State => {
  const rest = without(state, ({ urn }) => forgotten.includes(urn));
  const named = new Set(urns);
  const resources = (rest.deployment.resources ?? []).map((each) =>
    named.has(each.urn) ? each : withoutReferences(each, named),
  );
  return { ...rest, deployment: { ...rest.deployment, resources } };
};

/** A resource that points to nothing that is gone: the engine refuses a state with loose ends. */
const withoutReferences = (resource: StateResource, gone: ReadonlySet<string>): StateResource => {
  const remaining = (urns: string[]): string[] => urns.filter((urn) => !gone.has(urn));
  const { dependencies, propertyDependencies, replaceWith, deletedWith, ...rest } = resource;
  return {
    ...rest,
    ...(dependencies && { dependencies: remaining(dependencies) }),
    ...(replaceWith && { replaceWith: remaining(replaceWith) }),
    ...(deletedWith !== undefined && !gone.has(deletedWith) && { deletedWith }),
    ...(propertyDependencies && {
      propertyDependencies: Object.fromEntries(
        Object.entries(propertyDependencies).map(([key, urns]) => [key, urns && remaining(urns)]),
      ),
    }),
  };
};

/** Names what `withoutLost` removes from the state: pending operations and lost resources. */
export const forgotten = (state: State, loss: Loss): string[] => [
  ...(state.deployment.pending_operations ?? []).map(({ type, resource }) => `${type} ${nameOf(resource.urn)}`),
  ...(state.deployment.resources ?? []).filter((each) => isLost(each, loss)).map(({ urn }) => nameOf(urn)),
];
