import type { TalosDocument } from "../documents/document.ts";
import type { ClusterSettings, MachineSettings } from "../settings.ts";

/** What Hearth knows of a minor of Talos. */
export interface TalosRelease {
  /** @example "v1.13" */
  minor: string;
  /** Minors of Kubernetes 1 that it runs, first and last. */
  kubernetes: { first: number; last: number };
  /** Kinds of configuration documents that it knows. */
  documentKinds: readonly string[];
  /** Official system extensions that are built for it. */
  extensions: readonly string[];
  /** What it changes while it runs. Any other change reboots the machine. */
  whileRunning: WhileRunning;
  /** Renders the documents that a configuration generated for this contract is patched with. */
  documents: (machine: MachineSettings, cluster: ClusterSettings) => TalosDocument[];
}

/** Fields by where they are in the document without a kind. */
export interface WhileRunning {
  /** At the top. */
  configuration: readonly string[];
  /** Below `machine`. */
  machine: readonly string[];
  /** Below `machine.features`. */
  features: readonly string[];
}
