import type { MachineDocument } from "./documents-in.ts";
import { section } from "./section.ts";
import type { Role } from "./settings.ts";

/** The role that a whole configuration, or a generated one, says; undefined where it is not known. */
export const typeIn = (documents: readonly MachineDocument[]): Role | undefined => {
  const { type } = section(documents.find(({ kind, machine }) => kind === undefined && machine !== undefined)?.machine);
  if (typeof type !== "string") return undefined;
  return type === "worker" ? "worker" : "controlplane";
};

/** The role of a machine by its patches. Hearth gives settings of the API server to control planes only, but a person may give them to a worker. */
export const roleIn = (documents: readonly MachineDocument[]): Role =>
  documents.some(({ kind, cluster }) => kind === undefined && section(cluster).apiServer !== undefined)
    ? "controlplane"
    : "worker";

/** What a machine of a role is called. */
export const nouns: Record<Role, string> = { controlplane: "control plane", worker: "worker" };

/**
 * Why a machine that runs does not get another role.
 *
 * Talos takes it by a restart, and etcd keeps a member that does not run any more. Source: siderolabs/talos v1.13.9, CanApplyImmediate of
 * internal/app/machined/pkg/runtime/v1alpha1/v1alpha1_runtime.go, which leaves machine.type out.
 *
 * @param advice what is the way
 */
export const roleProblem = (name: string, from: Role, to: Role, advice: string): string =>
  `${name} is a ${nouns[from]} and would become a ${nouns[to]}, which no machine does while it runs: ${advice}`;
