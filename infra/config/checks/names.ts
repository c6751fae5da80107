import { bindingName, type GroupsOf } from "../bindings.ts";
import type { Check } from "./check.ts";
import { collisions, type Claim } from "./collisions.ts";

/** `<site>-<env>`, for example den-dev. */
const clusterName = /^[a-z0-9]+-[a-z0-9]+$/;

const clusterHasSiteAndEnvironment: Check = ({ cluster }) =>
  !cluster || clusterName.test(cluster.name)
    ? []
    : [
        {
          path: ["cluster", "name"],
          problem: `${cluster.name} does not name a site and an environment`,
          advice: "write <site>-<env>, such as den-dev",
        },
      ];

/** `<site>-<env>-<purpose><serial>`, for example den-dev-cp01. */
const nodesAreNamedAfterCluster: Check = ({ cluster, nodes }) => {
  if (!cluster || !clusterName.test(cluster.name)) return [];
  const pattern = new RegExp(`^${cluster.name}-[a-z]+[0-9]{2,}$`);
  const serials = { controlplane: 0, worker: 0 };
  return Object.entries(nodes).flatMap(([name, { role }]) => {
    const purpose = role === "controlplane" ? "cp" : "wk";
    const serial = String(++serials[role]).padStart(2, "0");
    if (pattern.test(name)) return [];
    return [
      {
        path: ["nodes", name],
        problem: "is not <site>-<env>-<purpose><serial>",
        advice: `name it as ${cluster.name}-${purpose}${serial}`,
      },
    ];
  });
};

/** A binding is one object of Kubernetes, whose name says less than a group's. */
const bindingsAreNamedApart: Check = ({ cluster }) => {
  const claims = (kind: GroupsOf, path: string[], groups: Record<string, string> = {}): Claim[] =>
    Object.entries(groups).map(([group, role]) => ({
      path: [...path, group],
      value: bindingName(kind, group, role),
      shown: `The name ${bindingName(kind, group, role)} of its binding`,
      owner: `that of ${group}`,
      advice: "rename one of the groups, so that they differ in letters or digits",
    }));
  return collisions([
    ...claims("people", ["cluster", "groups"], cluster?.groups),
    ...claims("oidc", ["cluster", "oidc", "groups"], cluster?.oidc?.groups),
  ]);
};

export const nameChecks: Check[] = [bindingsAreNamedApart, clusterHasSiteAndEnvironment, nodesAreNamedAfterCluster];
