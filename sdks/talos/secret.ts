import type * as pulumi from "@pulumi/pulumi";

/** How the SDK marks a secret on the wire. Source: pulumi/pulumi, sdk/nodejs/runtime/rpc. */
const signatureKey = "4dabf18193072939515e22adb298388d";

/**
 * Removes the marks of secrets inside a secret.
 *
 * The plugin marks single fields of an object that is secret as a whole. The SDK removes only one of the two marks, so fields of
 * the object would be undefined.
 */
export const unwrapped = <T extends object>(secret: pulumi.Output<T>): pulumi.Output<T> =>
  secret.apply((value): unknown => plain(value)) as pulumi.Output<T>;

const plain = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  if (signatureKey in value && "value" in value) return plain(value.value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
};
