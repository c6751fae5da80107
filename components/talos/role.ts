import type { MachineDocument } from "./documents-in.ts";
import { section } from "./section.ts";
import type { Role } from "./settings.ts";

/** The role of a machine by its patches: only control planes have settings of the API server. */
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
