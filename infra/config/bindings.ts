/** Who gives people their groups: certificates of `cluster.groups`, or the identity provider. */
export type GroupsOf = "people" | "oidc";

/** Name of the binding that gives a group its role. */
export const bindingName = (kind: GroupsOf, group: string, role: string): string =>
  `${kind}-${group}-${role}`.toLowerCase().replaceAll(/[^a-z0-9-]+/g, "-");
