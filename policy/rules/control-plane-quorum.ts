import { isDeepStrictEqual } from "node:util";

import { resourceTypes } from "../../components/resource-types.ts";
import { resourceFacts } from "../../infra/platforms/index.ts";
import { isControlPlane, machineDocuments } from "../machine-documents.ts";
import { at, type Resource } from "../resource.ts";
import type { Finding, Rule } from "../rule.ts";
import { nameOf } from "../../components/urn.ts";
import type { Recorded, Stack } from "../stack.ts";

/**
 * Paths of the inputs by which a machine is another one than before, to its platform or to etcd.
 *
 * An address is only updated, but behind it is another machine, or one that etcd looks for at the old address. The engine's
 * own plan, which `npx hearth deploy` reads, knows of all replacements.
 */
const identityOf = (type: string): string[][] =>
  type === resourceTypes.machineConfiguration ? [["node"]] : (resourceFacts(type)?.identity ?? []);

/** Control planes go one at a time, and the others can still decide. */
export const controlPlaneQuorum: Rule = {
  name: "control-plane-quorum",
  description: "Control planes are replaced or deleted one at a time, and those that stay have a quorum.",
  check: (resource, stack) => {
    if (resource.type === resourceTypes.stack) return quorumFindings(recordedControlPlanes(stack), missing(stack));
    if (identityOf(resource.type).length === 0) return [];
    const lost = new Set([...missing(stack), ...replaced(stack)]);
    // Told of the one that is too many, so that it is told once.
    return lost.has(resource.name) && isReplaced(resource, stack)
      ? quorumFindings(recordedControlPlanes(stack), [...lost], resource.name)
      : [];
  },
  finish: (stack) => {
    const names = new Set(
      [...stack.seen.values()]
        .filter(({ type }) => type === resourceTypes.machineConfiguration)
        .map(({ name }) => name),
    );
    const controlPlanes = recordedControlPlanes(stack);
    const deleted = controlPlanes.filter((name) => !names.has(name));
    return deleted.length === 0 ? [] : quorumFindings(controlPlanes, [...new Set([...deleted, ...replaced(stack)])]);
  },
};

/**
 * What losing control planes in one run does to etcd.
 *
 * @param controlPlanes those that the cluster has
 * @param lost those of them that would be deleted or replaced
 */
export const quorumFindings = (controlPlanes: string[], lost: string[], subject = lost[0] ?? ""): Finding[] => {
  const gone = controlPlanes.filter((name) => lost.includes(name));
  const left = controlPlanes.length - gone.length;
  const quorum = Math.floor(controlPlanes.length / 2) + 1;
  if (gone.length === 0) return [];
  const who = `${list(gone)} of ${controlPlanes.length} control plane${controlPlanes.length === 1 ? "" : "s"}`;
  if (left < quorum) {
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

/** The control planes that a state has, by name. */
export const controlPlanesOf = (recorded: readonly Recorded[]): string[] =>
  recorded
    .filter(
      (resource) => resource.type === resourceTypes.machineConfiguration && isControlPlane(machineDocuments(resource)),
    )
    .map(({ urn }) => nameOf(urn));

const recordedControlPlanes = (stack: Stack): string[] => controlPlanesOf(stack.surroundings.recorded);

/** The control planes that the stack file does not have any more. */
const missing = (stack: Stack): string[] => {
  const { nodes } = stack.surroundings.config;
  return recordedControlPlanes(stack).filter((name) => nodes[name]?.role !== "controlplane");
};

/** The control planes seen so far that become other machines. */
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
    // What is not known yet tells nothing.
    return value !== undefined && !isDeepStrictEqual(value, at(recorded.inputs, ...path));
  });
