import type { BadConfiguration } from "./bad-configurations.ts";

const advice = 'write one about object that is true or false, such as object.status.phase == "Ready"';

const expressions = (
  ...given: [apiVersion: string, kind: string, expression: string][]
): BadConfiguration["changes"] => [
  [
    "rollout",
    { health: { expressions: given.map(([apiVersion, kind, expression]) => ({ apiVersion, kind, expression })) } },
  ],
];

const holds = "has(object.status)";

/** Health expressions that no cluster could satisfy, or that would print a secret. */
export const badHealth: BadConfiguration[] = [
  {
    what: "health expressions that do not parse, know no such variable, or are not true or false",
    stack: "dev",
    changes: expressions(
      ["apps/v1", "Deployment", "object.status.phase = 1"],
      ["apps/v1", "Deployment", "object.status.phase == "],
      ["apps/v1", "Deployment", "objekt.status.phase == 1"],
      ["apps/v1", "Deployment", "size(object.status.conditions)"],
      ["apps/v1", "Deployment", "now > now"],
      ["apps/v1", "Deployment", "isReady(object.status)"],
    ),
    problems: [
      [
        "rollout.health.expressions.0.expression",
        "is not an expression at its character 21: Unexpected character: =",
        advice,
      ],
      [
        "rollout.health.expressions.1.expression",
        "is not an expression at its character 24: Unexpected token: EOF",
        advice,
      ],
      [
        "rollout.health.expressions.2.expression",
        "is not an expression at its character 1: Unknown variable: objekt",
        advice,
      ],
      ["rollout.health.expressions.3.expression", "is a value of the type int, and not true or false", advice],
      ["rollout.health.expressions.4.expression", "reads nothing of the object", advice],
      [
        "rollout.health.expressions.5.expression",
        "is not an expression at its character 1: found no matching overload for 'isReady(dyn)'",
        advice,
      ],
    ],
  },
  {
    what: "health expressions of kinds that are written otherwise, or are elsewhere",
    stack: "dev",
    changes: expressions(
      ["v1", "Deployment", holds],
      ["apps/v1", "Deployments", holds],
      ["ceph.rook.io/v1", "Cephcluster", holds],
      ["kustomize.toolkit.fluxcd.io/v1", "Kustomizations", holds],
      ["postgresql.cnpg.io/v1", "ScheduledBackup", holds],
    ),
    problems: [
      ["rollout.health.expressions.0.kind", "Deployment is no kind of v1", "it is of apps/v1"],
      ["rollout.health.expressions.1.kind", "Deployments is no kind of apps/v1", "write Deployment"],
      ["rollout.health.expressions.2.kind", "Cephcluster is no kind of ceph.rook.io/v1", "write CephCluster"],
      [
        "rollout.health.expressions.3.kind",
        "Kustomizations is no kind of kustomize.toolkit.fluxcd.io/v1",
        "write Kustomization",
      ],
    ],
  },
  {
    what: "a health expression about Secrets",
    stack: "dev",
    changes: expressions(["v1", "Secret", holds]),
    problems: [
      [
        "rollout.health.expressions.0.kind",
        "is Secret, whose values would be printed",
        "look at what is made from it instead",
      ],
    ],
  },
  {
    what: "a group without a version, a system that is not known, and no time",
    stack: "dev",
    changes: [
      [
        "rollout",
        {
          health: {
            expressions: [{ apiVersion: "apps", kind: "deployment", expression: holds }],
            skip: ["longhorn"],
            timeout: 0,
          },
        },
      ],
    ],
    problems: [
      ["rollout.health.expressions.0.apiVersion", "apps is no group and version", "write one such as apps/v1, or v1"],
      ["rollout.health.expressions.0.kind", "deployment is no kind", "write one such as Deployment"],
      ["rollout.health.skip.0", "longhorn is not one of its values", "use ceph, linstor, cloudnative-pg or flux"],
      ["rollout.health.timeout", "0 is too short", "give one minute at least"],
    ],
  },
];
