import type { TalosDocument } from "../documents/document.ts";
import type { ClusterSettings, MachineSettings } from "../settings.ts";

/** What Hearth knows of a Talos minor. */
export interface TalosRelease {
  /** @example "v1.13" */
  minor: string;
  /** The first and last minor of Kubernetes 1 that it supports. */
  kubernetes: { first: number; last: number };
  /** Kinds of configuration documents that it accepts. */
  documentKinds: readonly string[];
  /** Official system extensions that are built for it. */
  extensions: readonly string[];
  /** The changes that it applies without a reboot. Any other change reboots the machine. */
  whileRunning: WhileRunning;
  /** Renders the patches for a configuration that was generated for this contract. */
  documents: (machine: MachineSettings, cluster: ClusterSettings) => TalosDocument[];
}

/** Fields of the document without a kind. */
export interface WhileRunning {
  /** At the top level. */
  configuration: readonly string[];
  /** Below `machine`. */
  machine: readonly string[];
  /** Below `machine.features`. */
  features: readonly string[];
}
