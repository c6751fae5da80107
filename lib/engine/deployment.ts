/** A resource of an exported state, as far as it is looked at here. Source: pulumi/sdk, apitype.ResourceV3. */
export interface StateResource {
  urn: string;
  type: string;
  id?: string;
  parent?: string;
  dependencies?: string[];
  propertyDependencies?: Record<string, string[] | null>;
  deletedWith?: string;
  replaceWith?: string[];
  outputs?: Record<string, unknown>;
  [key: string]: unknown;
}

/** An exported state. */
export interface Deployment {
  version: number;
  deployment: {
    resources?: StateResource[];
    pending_operations?: { type: string; resource: StateResource }[];
    [key: string]: unknown;
  };
}

/** The last part of a URN. */
export const nameOf = ({ urn }: { urn: string }): string => urn.split("::").slice(3).join("::");

/** What was lost: machines by their names, and with all control planes everything that lived in the cluster. */
export interface Loss {
  machines: readonly string[];
  isClusterLost: boolean;
}

const ofMachine = new Set([
  "talos:machine/configurationApply:ConfigurationApply",
  "proxmoxve:index/vmLegacy:VmLegacy",
  "proxmoxve:index/haresource:Haresource",
]);
/** What machines need of their hosts, which may have gone with them. */
const ofHosts = new Set(["proxmoxve:download/file:File", "proxmoxve:index/harule:Harule"]);
const ofCluster = new Set(["talos:machine/bootstrap:Bootstrap", "talos:cluster/kubeconfig:Kubeconfig"]);

const isLost = (resource: StateResource, { machines, isClusterLost }: Loss): boolean => {
  const { type } = resource;
  if (ofMachine.has(type)) return machines.includes(nameOf(resource));
  if (ofHosts.has(type)) return machines.length > 0;
  return isClusterLost && (ofCluster.has(type) || type.startsWith("kubernetes:"));
};

/**
 * The state without what was lost, and without what an engine began and never reported.
 *
 * What is forgotten here and exists all the same is found again by the update that follows.
 */
export const withoutLost = (state: Deployment, loss: Loss): Deployment => {
  const { deployment, ...rest } = without(state, (each) => isLost(each, loss));
  return { ...rest, deployment: { ...deployment, pending_operations: [] } };
};

/** A state without some of its resources, and with nothing that points to them. */
export const without = (state: Deployment, isGone: (resource: StateResource) => boolean): Deployment => {
  const resources = state.deployment.resources ?? [];
  const gone = new Set(resources.filter(isGone).map(({ urn }) => urn));
  const left = resources.filter(({ urn }) => !gone.has(urn)).map((each) => withoutReferences(each, gone));
  return { ...state, deployment: { ...state.deployment, resources: left } };
};

/** A resource that points to nothing that is gone: the engine refuses a state with loose ends. */
const withoutReferences = (resource: StateResource, gone: ReadonlySet<string>): StateResource => {
  const left = (urns: string[]): string[] => urns.filter((urn) => !gone.has(urn));
  const { dependencies, propertyDependencies, replaceWith, deletedWith, ...rest } = resource;
  return {
    ...rest,
    ...(dependencies && { dependencies: left(dependencies) }),
    ...(replaceWith && { replaceWith: left(replaceWith) }),
    ...(deletedWith !== undefined && !gone.has(deletedWith) && { deletedWith }),
    ...(propertyDependencies && {
      propertyDependencies: Object.fromEntries(
        Object.entries(propertyDependencies).map(([key, urns]) => [key, urns && left(urns)]),
      ),
    }),
  };
};

/** How much of the state stands for nothing that is known: operations under way, and resources that were lost. */
export const forgotten = (state: Deployment, loss: Loss): string[] => [
  ...(state.deployment.pending_operations ?? []).map(({ type, resource }) => `${type} ${nameOf(resource)}`),
  ...(state.deployment.resources ?? []).filter((each) => isLost(each, loss)).map(nameOf),
];

/** A value of a state that was exported with its secrets in clear. */
export const revealed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(revealed);
  if (typeof value !== "object" || value === null) return value;
  if ("plaintext" in value && typeof value.plaintext === "string") return revealed(JSON.parse(value.plaintext));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revealed(inner)]));
};

/** The outputs of the first resource of a type, secrets in clear; undefined where the state has none. */
export const outputsOf = (state: Deployment, type: string): Record<string, unknown> | undefined => {
  const found = state.deployment.resources?.find((each) => each.type === type)?.outputs;
  return found && (revealed(found) as Record<string, unknown>);
};
