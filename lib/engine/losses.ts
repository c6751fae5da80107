import { isDeepStrictEqual } from "node:util";

import { resourceTypes } from "../../components/resource-types.ts";
import { patchesIn } from "../../components/talos/documents-in.ts";
import { roleIn } from "../../components/talos/role.ts";
import { section } from "../../components/talos/section.ts";
import { nameOf } from "../../components/urn.ts";
import { platforms as all } from "../../infra/platforms/index.ts";
import type { StepMetadata } from "./events.ts";

/** What a resource holds that no update can create again. */
export type Kept = "machine" | "volume" | "tunnel" | "secret";

/** A resource that would be lost. Its name is that by which an exemption names it; a machine's is its node's. */
export interface Loss {
  kind: Kept;
  name: string;
  how: "replaced" | "deleted";
  /** Properties because of which it is replaced. */
  because?: string[];
}

/** Kinds of resources beside the machines of platforms. */
const kinds: [type: RegExp, kind: Kept][] = [
  [/^talos:machine\/configurationApply:/, "machine"],
  [/^talos:machine\/secrets:/, "secret"],
  [/^random:/, "secret"],
  [/^kubernetes:core\/v1:(PersistentVolume|PersistentVolumeClaim|Namespace)$/, "volume"],
  [/^cloudflare:index\/zeroTrustTunnelCloudflared:/, "tunnel"],
];

/** What a resource of a type holds; undefined where an update makes it again. */
export const keptKind = (type: string, platforms = all): Kept | undefined =>
  platforms.some(({ dangers }) => dangers?.machines.test(type) === true)
    ? "machine"
    : kinds.find(([pattern]) => pattern.test(type))?.[1];

/** Steps of the engine that replace or delete a resource. */
const losing = ["replace", "create-replacement", "delete-replaced", "delete"];

/** What a step of the engine loses. */
export const lossOf = ({ op, type, urn, keys, old, new: now }: StepMetadata): Loss | undefined => {
  const name = nameOf(urn);
  const kind = keptKind(type);
  if (op === "update" && losesDisk(type, old?.inputs ?? {}, now?.inputs ?? {}))
    return { kind: "volume", name, how: "deleted" };
  if (kind === undefined || !losing.includes(op) || isRotated(kind, old)) return undefined;
  const because = isTriggered({ op, type, urn, keys, old, new: now })
    ? ["other keys of its disks"]
    : (keys ?? [])
        .filter((key) => !key.startsWith("__") && key !== "replaceWith")
        .map((key) => (key === "id" ? askedFor(type, old, now) : key));
  return { kind, name, how: op === "delete" ? "deleted" : "replaced", ...(because.length > 0 && { because }) };
};

/**
 * Why a machine is replaced because it was asked for, which the engine blames on its ID: for another address, another role, or of metal for
 * SecureBoot.
 *
 * Source: pulumi 3.259.0, pkg/resource/deploy/step_generator.go, isTargetedReplace. `replaceWith` stands for another resource's reason.
 */
const askedFor = (type: string, old: StepMetadata["old"], now: StepMetadata["new"]): string => {
  const [before, after] = [old?.inputs ?? {}, now?.inputs ?? {}];
  if (!isDeepStrictEqual(addressesOf(before), addressesOf(after))) return "another address";
  if (type !== resourceTypes.machineConfiguration) return "another role";
  return roleIn(patchesIn(before)) === roleIn(patchesIn(after)) ? "SecureBoot" : "another role";
};

/** What says at which addresses a machine is: its configuration's node, or what a virtual machine tells it. */
const addressesOf = ({ node, initialization }: Record<string, unknown>): unknown[] => [
  node,
  section(initialization).ipConfigs,
];

/**
 * Whether a machine is replaced for no property of it, but for its trigger, which is how its disks are encrypted. The configuration of a
 * virtual machine is replaced with that.
 */
const isTriggered = ({ op, type, keys, old }: StepMetadata): boolean =>
  (op === "replace" || op === "create-replacement") &&
  keptKind(type) === "machine" &&
  (keys ?? []).length === 0 &&
  (type !== resourceTypes.machineConfiguration || old?.inputs?.onDestroy !== undefined);

/** Whether a root secret was rotated: only `rotate` removes its protection. */
export const isRotated = (kind: Kept, recorded: { protect?: boolean } | null | undefined): boolean =>
  kind === "secret" && recorded != null && recorded.protect !== true;

/** Whether other inputs of a machine destroy one of its disks. */
export const losesDisk = (
  type: string,
  before: Record<string, unknown>,
  after: Record<string, unknown>,
  platforms = all,
): boolean => {
  const kept = new Set(paths(after));
  const removed = paths(before).filter((path) => !kept.has(path));
  return platforms.some(({ dangers }) => dangers?.losesDisk(type, removed) === true);
};

/** Paths of all values, such as `disks[1].interface`. */
const paths = (value: unknown, path = ""): string[] => {
  if (Array.isArray(value)) return value.flatMap((each, index) => paths(each, `${path}[${index}]`));
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([key, each]) => paths(each, path === "" ? key : `${path}.${key}`));
};

/** The address of the machine that a resource configures; undefined for other resources. */
export const configuredAddress = ({ type, inputs }: { type: string; inputs: Record<string, unknown> }) =>
  type === resourceTypes.machineConfiguration && typeof inputs.node === "string" ? inputs.node : undefined;
