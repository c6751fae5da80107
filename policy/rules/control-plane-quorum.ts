import { isDeepStrictEqual } from "node:util";

import { resourceTypes } from "../../components/resource-types.ts";
import { roleIn } from "../../components/talos/role.ts";
import { resourceFacts } from "../../infra/platforms/index.ts";
import { machineDocuments } from "../machine-documents.ts";
import { at, type Resource } from "../resource.ts";
import type { Finding, Rule } from "../rule.ts";
import { nameOf } from "../../components/urn.ts";
import type { Recorded, Stack } from "../stack.ts";

/**
 * Paths of the inputs whose change makes it another machine, for its platform or for etcd.
 *
 * The engine only updates an address. But another machine may be behind it, or etcd may still look for the old one. The engine's
 * own plan, which `npx hearth deploy` reads, contains all replacements.
 */
const identityOf = (type: string): string[][] =>
  type === resourceTypes.machineConfiguration ? [["node"]] : (resourceFacts(type)?.identity ?? []);

/**
 * Requires that control planes change one at a time, and that the others keep the quorum.
 *
 * A rollout takes those that go or are replaced one by one, each after a look at etcd itself, and its plan refuses other addresses. Where
 * one is planned, only a machine is judged that is replaced where too few are left.
 */
export const controlPlaneQuorum: Rule = {
  name: "control-plane-quorum",
  description: "Control planes are replaced or deleted one at a time, and the remaining ones have a quorum.",
  check: (resource, stack) => {
    const { isPlanned = false } = stack.surroundings;
    if (resource.type === resourceTypes.stack)
      return isPlanned ? [] : quorumFindings(recordedControlPlanes(stack), missing(stack));
    if (identityOf(resource.type).length === 0) return [];
    if (isPlanned) return isConfiguration(resource) ? [] : replacedAlone(resource, stack);
    const lost = new Set([...missing(stack), ...replaced(stack)]);
    // Reported for the one that breaks the quorum, so that it is reported once.
    return lost.has(resource.name) && isReplaced(resource, stack)
      ? quorumFindings(recordedControlPlanes(stack), [...lost], resource.name)
      : [];
  },
  finish: (stack) => {
    if (stack.surroundings.isPlanned) return [];
    const names = new Set([...stack.seen.values()].filter(isConfiguration).map(({ name }) => name));
    const controlPlanes = recordedControlPlanes(stack);
    const deleted = controlPlanes.filter((name) => !names.has(renamedTo(name, stack)));
    return deleted.length === 0 ? [] : quorumFindings(controlPlanes, [...new Set([...deleted, ...replaced(stack)])]);
  },
};

const isConfiguration = ({ type }: Pick<Resource, "type">): boolean => type === resourceTypes.machineConfiguration;

/** A control plane is replaced where two others vote, which may have been created in the same rollout. One that becomes a worker only leaves. */
const replacedAlone = (resource: Resource, stack: Stack): Finding[] => {
  const recorded = recordedControlPlanes(stack);
  const { nodes } = stack.surroundings.config;
  const desired = Object.keys(nodes).filter((name) => nodes[name]?.role === "controlplane");
  const isEnough = new Set([...recorded, ...desired]).size >= 3;
  return isEnough ||
    !desired.includes(resource.name) ||
    !recorded.includes(resource.name) ||
    !isReplaced(resource, stack)
    ? []
    : quorumFindings(recorded, [resource.name]);
};

/**
 * Finds what the loss of control planes in one run does to etcd.
 *
 * @param controlPlanes the cluster's control planes
 * @param lost those that would be deleted or replaced
 */
export const quorumFindings = (controlPlanes: string[], lost: string[], subject = lost[0] ?? ""): Finding[] => {
  const gone = controlPlanes.filter((name) => lost.includes(name));
  const remaining = controlPlanes.length - gone.length;
  const quorum = Math.floor(controlPlanes.length / 2) + 1;
  if (gone.length === 0) return [];
  const who = `${list(gone)} of ${controlPlanes.length} control plane${controlPlanes.length === 1 ? "" : "s"}`;
  if (remaining < quorum) {
    return [
      {
        problem: `${who} would be replaced or deleted, and etcd needs ${quorum} of them to decide`,
        advice:
          controlPlanes.length === 1
            ? "add two control planes first; or restore etcd afterwards, from a snapshot of now"
            : "change one control plane at a time, and wait until etcd is whole again",
        subject,
      },
    ];
  }
  if (gone.length === 1) return [];
  return [
    {
      problem: `${who} would be replaced or deleted together`,
      advice: "change one control plane at a time, and wait until etcd is whole again",
      subject,
    },
  ];
};

const list = (names: string[]): string => names.join(" and ");

/** Returns the names of the control planes in a state. */
export const controlPlanesOf = (recorded: readonly Recorded[]): string[] =>
  recorded
    .filter(
      (resource) =>
        resource.type === resourceTypes.machineConfiguration && roleIn(machineDocuments(resource)) === "controlplane",
    )
    .map(({ urn }) => nameOf(urn));

const recordedControlPlanes = (stack: Stack): string[] => controlPlanesOf(stack.surroundings.recorded);

/** Returns the control planes that the stack file no longer has. */
const missing = (stack: Stack): string[] => {
  const { nodes } = stack.surroundings.config;
  return recordedControlPlanes(stack).filter((name) => nodes[renamedTo(name, stack)]?.role !== "controlplane");
};

/** The name that a node has now. */
const renamedTo = (name: string, { surroundings: { config } }: Stack): string =>
  Object.entries(config.nodes).find(([, { renamedFrom }]) => renamedFrom === name)?.[0] ?? name;

/** Returns the control planes, among the resources so far, that are replaced. */
const replaced = (stack: Stack): string[] => {
  const controlPlanes = recordedControlPlanes(stack);
  return [...stack.seen.values()]
    .filter((resource) => controlPlanes.includes(resource.name) && isReplaced(resource, stack))
    .map(({ name }) => name);
};

const isReplaced = (resource: Resource, stack: Stack): boolean => {
  const recorded = stack.recorded(resource.urn);
  return recorded !== undefined && differs(resource, recorded);
};

const differs = ({ type, inputs }: Resource, recorded: Recorded): boolean =>
  identityOf(type).some((path) => {
    const value = at(inputs, ...path);
    // An unknown value proves no change.
    return value !== undefined && !isDeepStrictEqual(value, at(recorded.inputs, ...path));
  });
