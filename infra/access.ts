import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

import { bindingName } from "./config/bindings.ts";
import type { HearthConfig } from "./config/index.ts";

/** How a person or a group of `cluster.groups` is called in Kubernetes, so that it is nobody else's. */
export const groupInCluster = (name: string): string => `hearth:${name}`;

/** Name of the binding that gives a group of `cluster.groups` its role. */
export const bindingOf = (group: string, role: string): string => bindingName("people", group, role);

/**
 * Gives groups their cluster roles: those of people with certificates of their own, and those of the identity provider. A group that
 * is removed from the file loses its role.
 */
export const bindGroups = (
  { cluster: { groups, oidc } }: HearthConfig,
  opts: pulumi.CustomResourceOptions,
): k8s.rbac.v1.ClusterRoleBinding[] => {
  const bind = (name: string, group: string, role: string) =>
    new k8s.rbac.v1.ClusterRoleBinding(
      name,
      {
        metadata: { name },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
        subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: group }],
      },
      opts,
    );
  return [
    ...Object.entries(groups).map(([group, role]) => bind(bindingOf(group, role), groupInCluster(group), role)),
    ...Object.entries(oidc?.groups ?? {}).map(([group, role]) =>
      bind(bindingName("oidc", group, role), `${oidc?.prefix ?? ""}${group}`, role),
    ),
  ];
};
