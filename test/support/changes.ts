import { rawConfig } from "./stack.ts";

/** A path with `/` between its keys, and the value to set. Undefined removes the key. */
export type Change = [path: string, value: unknown];

export type RawConfig = Record<string, unknown>;

/** The content of a committed stack file, with changes. */
export const changed = (stack: string, ...changes: Change[]): RawConfig => {
  const raw = rawConfig(stack);
  for (const [path, value] of changes) {
    const keys = path.split("/");
    const last = keys.pop() ?? "";
    const parent = keys.reduce<RawConfig>((tree, key) => tree[key] as RawConfig, raw);
    parent[last] = value;
    if (value === undefined) Reflect.deleteProperty(parent, last);
  }
  return raw;
};
