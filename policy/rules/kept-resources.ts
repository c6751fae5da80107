import { isDeepStrictEqual } from "node:util";

import { nameOf } from "../../components/urn.ts";
import { resourceFacts } from "../../infra/platforms/index.ts";
import { configuredAddress, isRotated, keptKind, losesDisk, type Loss } from "../../lib/engine/losses.ts";
import { at, type Resource } from "../resource.ts";
import type { Finding, Rule } from "../rule.ts";
import type { Recorded, Stack } from "../stack.ts";

/** What cannot be made again is lost only where an exemption names it. The engine's own plan, which deploy reads, knows of all replacements. */
export const keptResources: Rule = {
  name: "kept-resources",
  description: "No machine, volume, tunnel or root secret is lost that no exemption names.",
  check: (resource, stack) => {
    const recorded = stack.recorded(resource.urn);
    const loss = recorded && changeLoses(resource, recorded);
    return loss ? [lossFinding(loss)] : [];
  },
  finish: (stack) =>
    stack.surroundings.recorded
      .filter((recorded) => !goesOn(recorded, stack))
      .flatMap((recorded) => {
        const kind = keptKind(recorded.type);
        if (kind === undefined || isRotated(kind, recorded)) return [];
        const loss: Loss = { kind, name: nameOf(recorded.urn), how: "deleted" };
        const successor = successorOf(recorded, stack);
        return [successor === undefined ? lossFinding(loss) : renameFinding(loss.name, successor)];
      }),
};

/** Whether a recorded resource is in the run, maybe under another parent or as a node that was renamed. */
const goesOn = ({ urn, type }: Recorded, { seen, surroundings }: Stack): boolean => {
  const name = nameOf(urn);
  const [to = name] = Object.entries(surroundings.config.nodes).find(([, node]) => node.renamedFrom === name) ?? [];
  return [...seen.values()].some((each) => each.type === type && each.name === to);
};

const changeLoses = (resource: Resource, recorded: Recorded): Loss | undefined => {
  const { type, name, inputs } = resource;
  const because = resourceFacts(type)?.identity?.find((path) => differs(resource, recorded, path));
  if (because) return { kind: "machine", name, how: "replaced", because: [because.join(".")] };
  return losesDisk(type, recorded.inputs, inputs) ? { kind: "volume", name, how: "deleted" } : undefined;
};

const differs = ({ inputs }: Resource, recorded: Recorded, path: string[]): boolean => {
  const [value, before] = [at(inputs, ...path), at(recorded.inputs, ...path)];
  // What is not known yet tells nothing, and adding such a disk replaces nothing.
  return value !== undefined && before !== undefined && !isDeepStrictEqual(value, before);
};

/** The node that has the address of a machine whose configuration would be deleted. */
const successorOf = (recorded: Recorded, { seen }: Stack): string | undefined => {
  const address = configuredAddress(recorded);
  if (address === undefined) return undefined;
  return [...seen.values()].find((each) => configuredAddress(each) === address)?.name;
};

/** What is lost with each kind, as the end of a sentence. */
const consequences: Record<Loss["kind"], string> = {
  machine: "and all that is on its disks with it",
  volume: "and all that is on it",
  tunnel: "and all that it answers for goes dark",
  secret: "and all that is made of it",
};

/** What is said of a resource that would be lost. */
export const lossFinding = ({ kind, name, how, because = [] }: Loss): Finding => ({
  problem:
    `the ${kind === "secret" ? "root secret" : kind} ${kind === "volume" ? `of ${name}` : name} would be ${how}` +
    `${because.length === 0 ? "" : `, because of ${because.join(", ")}`}, ${consequences[kind]}`,
  advice: "undo it, or name it in an exemption from kept-resources with resources, until and reason",
  subject: name,
});

/** What is said where a machine that stays would be reset under its old name. No exemption lets that pass. */
export const renameFinding = (from: string, to: string): Finding => ({
  problem: `${from} and ${to} are the same machine, which would be configured as ${to} and then reset as ${from}`,
  advice: `write renamedFrom: ${from} under nodes.${to}`,
  subject: from,
  final: true,
});
