/**
 * Returns the name that the program gave a resource. A name may contain `::`.
 *
 * Source: pulumi/pulumi, sdk/go/common/resource/urn: urn:pulumi:STACK::PROJECT::TYPE$TYPE::NAME.
 */
export const nameOf = (urn: string): string => urn.split("::").slice(3).join("::");

/** Returns the types of a resource's parents, and its own type as the last. */
export const typesOf = (urn: string): string[] => (urn.split("::")[2] ?? "").split("$");

/** Whether a resource has a type and a name, whatever its parents are. */
export const isNamed = (urn: string, type: string, name: string): boolean =>
  typesOf(urn).at(-1) === type && nameOf(urn) === name;

/** Returns the name of a resource's stack. */
export const stackOf = (urn: string): string => urn.split(":")[2] ?? "";
