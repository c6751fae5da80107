/** A resource that the engine is about to register. */
export interface Resource {
  urn: string;
  type: string;
  name: string;
  /** Unencrypted, including the secrets. Values that are unknown before the update are skipped. */
  inputs: Inputs;
  /** Paths of the secret inputs, such as `stringData` or `disks.0.serial`. Everything below such a path is secret too. */
  secretPaths: readonly string[];
  /** Whether the engine refuses to delete it. */
  protect: boolean;
  /** Inputs of the resource's provider, which distinguish accounts and endpoints. */
  provider: Inputs;
}

export type Inputs = Record<string, unknown>;

export const isObject = (value: unknown): value is Inputs =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Returns the value at a path of plain data, or undefined if there is none. */
export const at = (value: unknown, ...path: (string | number)[]): unknown =>
  path.reduce<unknown>(
    (inner, step) => (typeof inner === "object" && inner !== null ? (inner as Inputs)[step] : undefined),
    value,
  );

/** A string in plain data, and its path. */
export interface Leaf {
  path: string;
  text: string;
}

/** Returns all strings of plain data. */
export const leaves = (value: unknown, path = ""): Leaf[] => {
  if (typeof value === "string") return [{ path, text: value }];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, path === "" ? key : `${path}.${key}`));
};

/** Whether an input is secret, itself or as part of a secret value. */
export const isSecret = ({ secretPaths }: Pick<Resource, "secretPaths">, path: string): boolean =>
  secretPaths.some((secret) => path === secret || path.startsWith(`${secret}.`));
