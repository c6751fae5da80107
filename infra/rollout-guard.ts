import { isDeepStrictEqual } from "node:util";

import * as pulumi from "@pulumi/pulumi";

import { resourceTypes } from "../components/resource-types.ts";
import { documentsIn, patchesIn, type MachineDocument } from "../components/talos/documents-in.ts";
import { changesSecureBoot, isOfMetal, partsOfImage, secureBootProblem } from "../components/talos/installer.ts";
import { apiServerFields, rebootFields } from "../components/talos/reboots.ts";
import { roleProblem, typeIn } from "../components/talos/role.ts";
import { section } from "../components/talos/section.ts";
import { releaseOf, talosReleases } from "../components/talos/releases/index.ts";
import { closedProblem, closedVolumes } from "../components/talos/volume-keys.ts";
import { platforms } from "./platforms/index.ts";
import { addressProblem, reachOf, reachProblems } from "./reach.ts";
import type { RolloutNote } from "./rollout.ts";

/** An update of a resource that the engine is about to do. */
export interface Update {
  type: string;
  /** The name of its node, for a machine's resource. */
  name: string;
  before: Record<string, unknown>;
  after: Record<string, unknown>;
}

/** Refuses what takes more than one machine out of service in an update. */
export class RolloutGuard {
  /** Why machines of this update restart. */
  private readonly restarts = new Map<string, string[]>();
  /** Why API servers restart in it. */
  private readonly apiServers = new Map<string, string[]>();
  private readonly advice: string;

  constructor(stack: string) {
    this.advice = `run npx hearth deploy ${stack}`;
  }

  /** Whether updates of resources of a type can take a machine out of service. */
  judges(type: string): boolean {
    return type === resourceTypes.machineConfiguration || platforms.some(({ dangers }) => dangers?.machines.test(type));
  }

  /**
   * Judges an update, after those before it.
   *
   * @throws Error that names the machines and the command that takes them one by one
   */
  judge({ type, name, before, after }: Update): void {
    if (type === resourceTypes.machineConfiguration) {
      requireReached(name, before, after);
      requireSameRole(name, before, after, this.advice);
      // A key in the TPM that comes to depend on SecureBoot is other keys too.
      requireSameBoot(name, before, after, this.advice);
      requireOpen(name, before, after);
      const [from, to] = [kubernetesOf(before), kubernetesOf(after)];
      if (from !== undefined && to !== undefined && from !== to)
        throw new Error(
          `Kubernetes would go from ${from} to ${to} on all machines at once. ${name} was not changed: ${this.advice}, by which each ` +
            "machine is upgraded after the other",
        );
    }
    const why =
      type === resourceTypes.machineConfiguration ? rebootsFor(before, after) : this.restartsOf(type, before, after);
    this.allowOne("machines", this.restarts, name, why);
    if (type === resourceTypes.machineConfiguration && isPlane(after))
      this.allowOne("API servers", this.apiServers, name, fieldsOf(apiServerFields, before, after));
  }

  private allowOne(what: string, known: Map<string, string[]>, name: string, why: readonly string[]): void {
    if (why.length === 0) return;
    known.set(name, [...(known.get(name) ?? []), ...why]);
    if (known.size < 2) return;
    const all = [...known].map(([machine, reasons]) => `${machine} (${reasons.join(", ")})`);
    throw new Error(
      `These ${what} would restart together: ${all.join(" and ")}. ${all.at(-1) ?? ""} was not changed: ${this.advice}, ` +
        "which takes one out of service at a time",
    );
  }

  private restartsOf(type: string, before: Record<string, unknown>, after: Record<string, unknown>): string[] {
    const names = Object.keys({ ...before, ...after }).filter(
      (key) => !isDeepStrictEqual(asGiven(before[key]), asGiven(after[key])),
    );
    return platforms
      .flatMap(({ dangers }) => dangers?.restarts(type, names, after) ?? [])
      .filter(({ isAtOnce }) => isAtOnce)
      .map(({ why }) => why);
  }
}

/**
 * Requires that a machine, and the cluster by it, is reached as before. Only a deployment goes to another endpoint.
 *
 * @throws Error that says what is the way
 */
const requireReached = (name: string, before: Record<string, unknown>, after: Record<string, unknown>): void => {
  const [from, to] = [before.node, after.node];
  if (typeof from === "string" && typeof to === "string" && from !== to)
    throw new Error(addressProblem(name, from, to));
  const [reach, next] = [reachOf(before), reachOf(after)];
  const [problem] = reachProblems(reach, next);
  if (problem !== undefined) throw new Error(problem);
};

/**
 * Requires that a machine keeps its role. Only a deployment gives it another one, which replaces it.
 *
 * @throws Error that says what is the way
 */
const requireSameRole = (
  name: string,
  before: Record<string, unknown>,
  after: Record<string, unknown>,
  advice: string,
): void => {
  const [from, to] = [before, after].map(({ machineConfigurationInput: text }) => typeIn(documentsIn(text)));
  if (from === undefined || to === undefined || from === to) return;
  throw new Error(
    roleProblem(name, from, to, `${advice}, which replaces it where an exemption from kept-resources names it`),
  );
};

/**
 * Requires that a machine can open its disks when it restarts.
 *
 * @throws Error that names the volumes that it could not
 */
const requireOpen = (name: string, before: Record<string, unknown>, after: Record<string, unknown>): void => {
  const closed = closedVolumes(patchesIn(before), patchesIn(after));
  if (closed.length > 0) throw new Error(closedProblem(name, `other keys of ${closed.join(", ")}`));
};

/**
 * Requires that the state does not say of a machine that it has SecureBoot, or has none, when nothing at the machine changes.
 *
 * @throws Error that says what to do
 */
const requireSameBoot = (
  name: string,
  before: Record<string, unknown>,
  after: Record<string, unknown>,
  advice: string,
): void => {
  const installer = installerOf(after);
  if (installer === undefined || !changesSecureBoot(installerOf(before), installer)) return;
  const way = isOfMetal(installer)
    ? `${advice}, which wipes the machine and waits until somebody has booted it`
    : `remove ${name} from the stack file, deploy, and add it again`;
  throw new Error(secureBootProblem(name, installer, way));
};

/** A value without the bridge's notes on which of its parts are defaults. Source: pulumi-terraform-bridge v3, pkg/tfbridge, defaultsKey. */
const asGiven = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(asGiven);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => key !== "__defaults");
  return Object.fromEntries(entries.map(([key, inner]) => [key, asGiven(inner)]));
};

/** The fields for which a machine reboots. */
const rebootsFor = (before: Record<string, unknown>, after: Record<string, unknown>): string[] => {
  const { version } = partsOfImage(installerOf(before) ?? "");
  const { whileRunning } = releaseOf(version) ?? talosReleases.at(-1) ?? {};
  if (!whileRunning) return [];
  return [
    // Kubernetes takes it for another node, and its pods are gone.
    ...(hostnameOf(before) === hostnameOf(after) ? [] : ["another name"]),
    ...fieldsOf((old, now) => rebootFields(old, now, whileRunning), before, after),
  ];
};

/**
 * The fields in which configurations differ. The merged one is known only after the update, so the generated one and the patches are
 * compared each for themselves.
 */
const fieldsOf = (
  differing: (before: MachineDocument, after: MachineDocument) => string[],
  before: Record<string, unknown>,
  after: Record<string, unknown>,
): string[] => {
  const [old, now] = [generated(before), generated(after)];
  return [
    ...new Set([
      ...(old && now ? differing(old, now) : []),
      ...differing(collected(patchesOf(before)), collected(patchesOf(after))),
    ]),
  ];
};

const isPlane = ({ machineConfigurationInput: text }: Record<string, unknown>): boolean =>
  typeIn(documentsIn(text)) !== "worker";

/** The installer that the last patch names. */
const installerOf = (inputs: Record<string, unknown>): string | undefined =>
  patchesOf(inputs)
    .map(({ machine }) => section(section(machine).install).image)
    .findLast((image) => typeof image === "string");

const hostnameOf = (inputs: Record<string, unknown>): unknown =>
  patchesIn(inputs).findLast(({ kind }) => kind === "HostnameConfig")?.hostname;

/** Whether a document has no kind. Others apply while the machine runs. */
const isMain = ({ kind }: MachineDocument): boolean => kind === undefined;

/** The generated configuration; undefined while it is not known. */
const generated = ({ machineConfigurationInput: text }: Record<string, unknown>): MachineDocument | undefined =>
  documentsIn(text).find(isMain);

const patchesOf = (inputs: Record<string, unknown>): MachineDocument[] => patchesIn(inputs).filter(isMain);

/** Everything that patches say at each place where Talos decides, in their order. */
const collected = (patches: readonly MachineDocument[]): MachineDocument => {
  const machines = patches.map(({ machine }) => section(machine));
  const clusters = patches.map(({ cluster }) => section(cluster));
  return {
    ...byKey(patches, ["machine", "cluster"]),
    machine: withSections(machines, ["features"]),
    cluster: withSections(clusters, ["apiServer", "network"]),
  };
};

/** Everything that documents say by its key, and in some sections of them by the keys of these. */
const withSections = (documents: readonly MachineDocument[], names: readonly string[]): MachineDocument => ({
  ...byKey(documents, names),
  ...Object.fromEntries(
    names.map((name) => [
      name,
      byKey(
        documents.map((each) => section(each[name])),
        [],
      ),
    ]),
  ),
});

const byKey = (documents: readonly MachineDocument[], except: readonly string[]): MachineDocument => {
  const keys = new Set(documents.flatMap((each) => Object.keys(each)).filter((key) => !except.includes(key)));
  return Object.fromEntries(
    [...keys].map((key) => [key, documents.flatMap((each) => (key in each ? [each[key]] : []))]),
  );
};

/** Release of Kubernetes that a generated configuration installs. */
const kubernetesOf = (inputs: Record<string, unknown>): string | undefined => {
  const image = section(section(generated(inputs)?.machine).kubelet).image;
  return typeof image === "string" ? image.split(":").at(-1) : undefined;
};

/**
 * Has the engine ask the guard before each update of a machine, in previews too. It needs no policy pack, so `pulumi up` by hand has it.
 *
 * A command that carries a rollout out judges itself what goes out of service.
 */
export const guardMachines = (stack: string, note: RolloutNote | undefined): void => {
  if (note !== undefined) return;
  const guard = new RolloutGuard(stack);
  const hook = new pulumi.ResourceHook(
    "one-machine-at-a-time",
    async ({ type, name, oldInputs = {}, newInputs = {} }) => {
      guard.judge({ type, name, before: await revealed(oldInputs), after: await revealed(newInputs) });
    },
    { onDryRun: true },
  );
  pulumi.runtime.registerResourceTransform(({ type, props, opts }) =>
    guard.judges(type)
      ? {
          props,
          opts: { ...opts, hooks: { ...opts.hooks, beforeUpdate: [...(opts.hooks?.beforeUpdate ?? []), hook] } },
        }
      : undefined,
  );
};

/** Inputs with their secrets as plain values. The SDK gives a hook a secret as an output. */
const revealed = async (inputs: Record<string, unknown>): Promise<Record<string, unknown>> => {
  const entries = await Promise.all(
    Object.entries(inputs).map(async ([key, value]) => [key, await plain(value)] as const),
  );
  return Object.fromEntries(entries);
};

const plain = (value: unknown): Promise<unknown> =>
  pulumi.Output.isInstance(value)
    ? (value as unknown as { promise: () => Promise<unknown> }).promise()
    : Promise.resolve(value);
