import type { ClientConfiguration } from "@pulumi/talos";

import { resourceTypes } from "../../../components/resource-types.ts";
import { Problem } from "../../../toolchain/problem.ts";
import { differences, documentsOf, printedDocuments } from "../../cluster/machine-configuration.ts";
import { hasEtcd } from "../../cluster/machine-state.ts";
import { Talosctl } from "../../cluster/talosctl.ts";
import type { Adopter, Adopters, Creation, Found } from "./adopter.ts";
import { withSecretsBundle, type Roots } from "../../secrets/roots.ts";
import { record, text } from "./properties.ts";

/** What a run remembers of etcd's beginning with a snapshot, for the one that goes on should it be killed. */
export interface RecoveryNote {
  /** Whether an earlier run had begun it on a machine that was proven to be empty: an etcd that is there now began so. */
  hasBegun: boolean;
  note: (how: "begun" | "recovered") => Promise<void>;
}

export interface TalosRecovery {
  /** What the escrow holds, where the state has it no more. */
  roots: Roots | undefined;
  /** The program talosctl. */
  talosctl: string;
  /** Path of the snapshot that etcd starts with; without one it starts empty. */
  snapshot: string | undefined;
  /** Addresses of all control planes: an etcd on any of them is the cluster's. @default the bootstrap node's alone */
  controlPlanes?: readonly string[];
  /** What is remembered of etcd's beginning with the snapshot. */
  recovery?: RecoveryNote;
  /** Whether the machines run and keep what they have. */
  isRunning: boolean;
}

/** The root secrets are made by the plugin's own import, from the file that Talos calls a secrets bundle. */
const machineSecrets =
  (roots: Roots | undefined): Adopter =>
  async ({ read }) => {
    if (roots === undefined) return undefined;
    const found = await withSecretsBundle(roots, (path) => read(path));
    return found && { ...found, properties: { ...found.properties, talosVersion: roots.contract } };
  };

/** Tells the plugin that a state is of today's schema, not of its first. Source: the resources' schemas, Version. */
const today = { __meta: JSON.stringify({ schema_version: "1" }) };

/** What the plugin cannot read, and so is what it would be. */
const asPlanned = async ({ plan }: Creation, id: string): Promise<Found> => ({
  id,
  properties: { ...(await plan()), ...today, id },
});

/** A machine that runs has its configuration. The plugin cannot read it, but talosctl can, and it has to be what is rendered. */
const configuration =
  (talosctl: string, isRunning: boolean): Adopter =>
  async (creation) => {
    if (!isRunning) return undefined;
    const node = text(creation.inputs, "node");
    const client = record(creation.inputs, "clientConfiguration") as unknown as ClientConfiguration;
    const found = await asPlanned(creation, "machine_configuration_apply");
    const printed = await new Talosctl(talosctl, client).run(node, [
      "get",
      "machineconfig",
      "v1alpha1",
      "--output",
      "yaml",
    ]);
    const differ = differences(printedDocuments(printed), documentsOf(text(found.properties, "machineConfiguration")));
    if (differ.length === 0) return found;
    throw new Problem(
      `${creation.name} runs another configuration than the program renders, in ${differ.join(", ")}: bring Pulumi's stack file to ` +
        "what runs, or rebuild with --restart --case all, which applies what is rendered",
    );
  };

/** etcd is bootstrapped once. If it runs on any control plane, nothing is done. If there is a snapshot, etcd starts with it. */
const bootstrap =
  ({ talosctl, snapshot, recovery, controlPlanes = [] }: TalosRecovery): Adopter =>
  async (creation) => {
    const node = text(creation.inputs, "node");
    const done = () => asPlanned(creation, "machine_bootstrap");
    if (await hasEtcd(node)) {
      if (recovery?.hasBegun) await recovery.note("recovered");
      return done();
    }
    // The bootstrap node is new, and joins the etcd of the others.
    if ((await Promise.all(controlPlanes.map(hasEtcd))).includes(true)) return done();
    if (snapshot === undefined) return undefined;
    const client = record(creation.inputs, "clientConfiguration") as unknown as ClientConfiguration;
    await recovery?.note("begun");
    await new Talosctl(talosctl, client).run(node, ["bootstrap", "--recover-from", snapshot]);
    await recovery?.note("recovered");
    return done();
  };

/** How what the Talos plugin makes is found. A kubeconfig is always requested again, which changes nothing. */
export const talosAdopters = (recovery: TalosRecovery): Adopters => ({
  [resourceTypes.machineSecrets]: machineSecrets(recovery.roots),
  [resourceTypes.machineConfiguration]: configuration(recovery.talosctl, recovery.isRunning),
  [resourceTypes.bootstrap]: bootstrap(recovery),
});
