/** A resource as the engine is about to register it. */
export interface Resource {
  urn: string;
  type: string;
  name: string;
  /** In the clear, secrets too. What is not known before the update is left out. */
  inputs: Inputs;
  /** Paths of the inputs that are secret, such as `stringData` or `disks.0.serial`; what is below one is secret as well. */
  secretPaths: readonly string[];
  /** Whether the engine refuses to delete it. */
  protect: boolean;
  /** Inputs of its provider, which tell accounts and endpoints apart. */
  provider: Inputs;
}

export type Inputs = Record<string, unknown>;

export const isObject = (value: unknown): value is Inputs =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The value at a path of plain data, or undefined where there is none. */
export const at = (value: unknown, ...path: (string | number)[]): unknown =>
  path.reduce<unknown>(
    (inner, step) => (typeof inner === "object" && inner !== null ? (inner as Inputs)[step] : undefined),
    value,
  );

/** A text of plain data, with its path. */
export interface Leaf {
  path: string;
  text: string;
}

/** All texts of plain data. */
export const leaves = (value: unknown, path = ""): Leaf[] => {
  if (typeof value === "string") return [{ path, text: value }];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, path === "" ? key : `${path}.${key}`));
};

/** Whether an input is secret by itself or because something around it is. */
export const isSecret = ({ secretPaths }: Pick<Resource, "secretPaths">, path: string): boolean =>
  secretPaths.some((secret) => path === secret || path.startsWith(`${secret}.`));
