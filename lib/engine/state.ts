import { resourceTypes } from "../../components/resource-types.ts";
import { serverOf, withServer } from "../../components/talos/kubeconfig.ts";
import { nameOf } from "../../components/urn.ts";
import { revealed } from "./value.ts";

/** A resource of an exported state, as far as it is looked at here. Source: pulumi/sdk, apitype.ResourceV3. */
export interface StateResource {
  urn: string;
  type: string;
  id?: string;
  /** Whether it was replaced and only waits for its deletion: another one has its URN. */
  delete?: boolean;
  protect?: boolean;
  parent?: string;
  dependencies?: string[];
  propertyDependencies?: Record<string, string[] | null>;
  deletedWith?: string;
  replaceWith?: string[];
  ignoreChanges?: string[];
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
  [key: string]: unknown;
}

/** The output of `pulumi stack export`, and the input of `pulumi stack import`. Source: pulumi/sdk, apitype.UntypedDeployment. */
export interface State {
  version: number;
  deployment: {
    /** When it was written last, and by what. */
    manifest?: { time?: string };
    resources?: StateResource[] | null;
    /** Operations that an engine began and never reported. */
    pending_operations?: { type: string; resource: StateResource }[] | null;
    [key: string]: unknown;
  };
}

/** The resources that the stack has, without those that only wait for their deletion. */
export const resourcesOf = ({ deployment }: State): StateResource[] =>
  (deployment.resources ?? []).filter((resource) => resource.delete !== true);

/** The resources of a type, in the order of the state. */
export const ofType = (state: State, type: string): StateResource[] =>
  resourcesOf(state).filter((resource) => resource.type === type);

/** The outputs of the first resource of a type, secrets in the clear; undefined where the state has none. */
export const outputsOf = (state: State, type: string): Record<string, unknown> | undefined =>
  revealed(ofType(state, type)[0]?.outputs) as Record<string, unknown> | undefined;

/** The administrator's kubeconfig, at the endpoint that the last update declared; undefined before the first one. */
export const kubeconfigOf = (state: State): string | undefined => {
  const fetched = outputsOf(state, resourceTypes.kubeconfig)?.kubeconfigRaw;
  const declared = outputsOf(state, resourceTypes.talosCluster)?.kubeconfig;
  const endpoint = typeof declared === "string" ? serverOf(declared) : undefined;
  if (typeof fetched !== "string") return undefined;
  return endpoint === undefined ? fetched : withServer(fetched, endpoint);
};

/** Outputs of the stack itself, secrets in the clear. */
export const stackOutputs = (state: State): Record<string, unknown> => outputsOf(state, resourceTypes.stack) ?? {};

/** The age identity that the last update created in the cluster. */
export const installedIdentity = (state: State): string | undefined => {
  const created = ofType(state, resourceTypes.secret).find(({ urn }) => nameOf(urn) === "sops-age");
  // The plugin keeps what was given as text the way the API does, in base64.
  const { data } = (revealed(created?.inputs) ?? {}) as { data?: Record<string, string> };
  const encoded = data?.["age.agekey"];
  return encoded === undefined ? undefined : Buffer.from(encoded, "base64").toString();
};
