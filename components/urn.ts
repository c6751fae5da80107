/**
 * The name that the program gave a resource. A name may hold `::` itself.
 *
 * Source: pulumi/pulumi, sdk/go/common/resource/urn: urn:pulumi:STACK::PROJECT::TYPE$TYPE::NAME.
 */
export const nameOf = (urn: string): string => urn.split("::").slice(3).join("::");

/** The types of a resource's parents and its own, which is the last. */
export const typesOf = (urn: string): string[] => (urn.split("::")[2] ?? "").split("$");

/** Whether a resource is of a type and has a name, whatever it is part of. */
export const isNamed = (urn: string, type: string, name: string): boolean =>
  typesOf(urn).at(-1) === type && nameOf(urn) === name;

/** The stack that a resource is of. */
export const stackOf = (urn: string): string => urn.split(":")[2] ?? "";
