import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

import type { HearthConfig } from "./config/index.ts";

/** Gives the groups of the identity provider their cluster roles. A group that is removed from the file loses its role. */
export const bindGroups = (
  { cluster: { oidc } }: HearthConfig,
  opts: pulumi.CustomResourceOptions,
): k8s.rbac.v1.ClusterRoleBinding[] =>
  Object.entries(oidc?.groups ?? {}).map(([group, role]) => {
    const name = `oidc-${group}-${role}`.toLowerCase().replaceAll(/[^a-z0-9-]+/g, "-");
    return new k8s.rbac.v1.ClusterRoleBinding(
      name,
      {
        metadata: { name },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
        subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: `${oidc?.prefix ?? ""}${group}` }],
      },
      opts,
    );
  });
