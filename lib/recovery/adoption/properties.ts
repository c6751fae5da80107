import { revealed } from "../../engine/value.ts";
import { secretSignature, signatureKey } from "../../engine/wire.ts";

/** A resource's properties as the engine and its plugins send them to each other. */
export type Properties = Record<string, unknown>;

const isObject = (value: unknown): value is Properties =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A value that the engine keeps encrypted. */
export const secret = (value: unknown): Properties => ({ [signatureKey]: secretSignature, value });

/** Properties without those that are not known yet. */
export const known = (properties: Properties): Properties => withoutUnknown(properties) as Properties;

const isUnknown = (value: unknown): boolean => revealed(value) === undefined;

const withoutUnknown = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.filter((each) => !isUnknown(each)).map(withoutUnknown);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (isUnknown(inner) ? [] : [[key, withoutUnknown(inner)]])),
  );
};

/** A property that has to be a string; empty if it is unknown. */
export const text = (properties: Properties, key: string): string => {
  const value = revealed(properties[key]);
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
};

/** A property that has to be an object. */
export const record = (properties: Properties, key: string): Properties => {
  const value = revealed(properties[key]);
  return isObject(value) ? value : {};
};
