import { Secret, type ResourceValidationArgs } from "@pulumi/policy";

import { isUnknownMark } from "../lib/engine/wire.ts";
import { isObject, type Inputs, type Resource } from "./resource.ts";

/**
 * Reads the arguments of a remediation. The SDK tells only remediations which inputs are secret.
 *
 * A validation gets secrets as plain values, and throws when it reads an unknown value.
 */
export const resourceOf = ({
  urn,
  type,
  name,
  opts,
  props,
  provider,
}: Pick<ResourceValidationArgs, "urn" | "type" | "name" | "opts" | "props" | "provider">): Resource => {
  const secretPaths: string[] = [];
  return {
    urn,
    type,
    name,
    secretPaths,
    inputs: plain(unwrapped(props), "", secretPaths) as Inputs,
    protect: opts.protect,
    provider: provider === undefined ? {} : (plain(unwrapped(provider.props), "", []) as Inputs),
  };
};

/** Returns the value behind the SDK's proxy. */
const unwrapped = (value: unknown): unknown => {
  const proxy = value as { __isSpecialProxy?: boolean; __getSpecialProxyTarget?: unknown };
  return proxy.__isSpecialProxy === true ? unwrapped(proxy.__getSpecialProxyTarget) : value;
};

/** Returns a value without its unknown parts and its secrets' marks, and records the paths of the secrets. */
const plain = (value: unknown, path: string, secretPaths: string[]): unknown => {
  if (value instanceof Secret) {
    secretPaths.push(path);
    return plain(value.value, path, secretPaths);
  }
  if (typeof value === "string") return isUnknownMark(value) ? undefined : value;
  const inner = (key: string | number) => (path === "" ? `${key}` : `${path}.${key}`);
  if (Array.isArray(value)) return value.map((each, index) => plain(each, inner(index), secretPaths));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, each]) => [key, plain(each, inner(key), secretPaths)] as const)
      .filter(([, each]) => each !== undefined),
  );
};
