import { secretSignature, signatureKey } from "./wire.ts";

/** A resource of a state that was exported with its secrets shown. */
export interface StateResource {
  urn: string;
  type: string;
  id?: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
  protect?: boolean;
}

/** What `pulumi stack export` gives. */
export interface Export {
  version: number;
  deployment: {
    resources?: StateResource[] | null;
    pending_operations?: unknown[] | null;
    metadata?: unknown;
    manifest?: { time?: string };
  };
}

/** The value itself, without the engine's marks of secrets around or inside it. */
export const unmarked = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(unmarked);
  if (typeof value !== "object" || value === null) return value;
  const record = value as Record<string, unknown>;
  if (record[signatureKey] !== secretSignature) {
    return Object.fromEntries(Object.entries(record).map(([key, inner]) => [key, unmarked(inner)]));
  }
  return typeof record.plaintext === "string" ? unmarked(JSON.parse(record.plaintext)) : undefined;
};

/** The name that the program gave a resource. */
export const nameOf = ({ urn }: { urn: string }): string => urn.split("::").at(-1) ?? urn;

/** The resources of a type, in the order of the state. */
export const ofType = ({ deployment }: Export, type: string): StateResource[] =>
  (deployment.resources ?? []).filter((resource) => resource.type === type);

/** Outputs of the stack itself, secrets in plain. */
export const stackOutputs = (state: Export): Record<string, unknown> =>
  (unmarked(ofType(state, "pulumi:pulumi:Stack")[0]?.outputs) ?? {}) as Record<string, unknown>;

/** The age identity that the last update planted in the cluster. */
export const plantedIdentity = (state: Export): string | undefined => {
  const planted = ofType(state, "kubernetes:core/v1:Secret").find((resource) => nameOf(resource) === "sops-age");
  // The plugin keeps what was given as text the way the API does, in base64.
  const { data } = (unmarked(planted?.inputs) ?? {}) as { data?: Record<string, string> };
  const encoded = data?.["age.agekey"];
  return encoded === undefined ? undefined : Buffer.from(encoded, "base64").toString();
};
