import { isUnknownMark, secretSignature, signatureKey } from "./wire.ts";

/** A value of a resource's property that must not be shown. */
export class Secret {
  constructor(readonly value: Value) {}
}

/** A value that is not known before the update. */
export class Unknown {
  readonly isUnknown = true;
}

/** A property's value, as the engine has it. */
export type Value = null | boolean | number | string | Secret | Unknown | Value[] | Values;

/** The properties of a resource. */
export interface Values {
  [name: string]: Value;
}

/** What marks an output. Source: pulumi/pulumi, sdk/go/common/resource/sig. */
const outputSignature = "d0e6a833031e9bbcd3f4e8bde6ca49a4";

/** Reads a value from an exported state, an event of the engine or a message to an analyzer. */
export const readValue = (raw: unknown): Value => {
  if (typeof raw === "string") return isUnknownMark(raw) ? new Unknown() : raw;
  if (typeof raw === "number" || typeof raw === "boolean") return raw;
  if (Array.isArray(raw)) return raw.map(readValue);
  if (typeof raw !== "object" || raw === null) return null;
  const record = raw as Record<string, unknown>;
  if (record[signatureKey] === secretSignature) return new Secret(readSecret(record));
  if (record[signatureKey] === outputSignature) return readOutput(record);
  return readValues(record);
};

/** Reads the properties of a resource. */
export const readValues = (raw: object | undefined): Values =>
  Object.fromEntries(Object.entries(raw ?? {}).map(([name, value]) => [name, readValue(value)]));

/** In a state a secret is text, in a message it is a value; an event does not contain it. */
const readSecret = ({ plaintext, value }: Record<string, unknown>): Value => {
  if (typeof plaintext === "string") return readValue(JSON.parse(plaintext));
  return value === undefined ? new Unknown() : readValue(value);
};

const readOutput = ({ value, secret }: Record<string, unknown>): Value => {
  const inner = value === undefined ? new Unknown() : readValue(value);
  return secret === true ? new Secret(inner) : inner;
};

/** Whether a value is a list of named values, and not one of the values that have a meaning of their own. */
export const isValues = (value: Value | undefined): value is Values =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Secret) &&
  !(value instanceof Unknown);

/** A value without its marks, for use and never for showing; undefined where any of it is unknown. */
export const plain = (value: Value | undefined): unknown => {
  if (value instanceof Secret) return plain(value.value);
  if (value === undefined || value instanceof Unknown) return undefined;
  if (Array.isArray(value)) return value.map(plain);
  if (isValues(value)) return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
  return value;
};

/** Every string inside the secrets of a value, with its key. */
export const secretStrings = (value: Value, name = "", isSecret = false): { name: string; text: string }[] => {
  if (value instanceof Secret) return secretStrings(value.value, name, true);
  if (typeof value === "string") return isSecret ? [{ name, text: value }] : [];
  if (Array.isArray(value)) return value.flatMap((each) => secretStrings(each, name, isSecret));
  if (!isValues(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => secretStrings(inner, key, isSecret));
};

/** A value as the engine has it, without its marks: of an exported state, the secrets in the clear. */
export const revealed = (raw: unknown): unknown => (raw === undefined ? undefined : plain(readValue(raw)));

/** A secret as a state has it that was exported in the clear. */
export const sealed = (value: unknown): object => ({
  [signatureKey]: secretSignature,
  plaintext: JSON.stringify(value),
});
