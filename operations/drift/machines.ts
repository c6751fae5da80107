import { resourceTypes } from "../../components/resource-types.ts";
import { schematicId } from "../../components/talos/schematic.ts";
import type { HearthConfig } from "../../infra/config/index.ts";
import { talosClientOf } from "../../lib/cluster/access.ts";
import { Talosctl } from "../../lib/cluster/talosctl.ts";
import { kubeconfigOf, outputsOf } from "../../lib/engine/state.ts";
import type { Target } from "../../lib/engine/target.ts";
import { readKubernetes, readMachine, readNodes } from "../../lib/rollout/read.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";
import { recordedMachines } from "../deploy/running.ts";
import type { Drift } from "./drift.ts";
import { messageOf } from "../../toolchain/problem.ts";

/** A release of Talos, and the image profile that it was installed from. */
export interface Installed {
  version: string;
  schematic: string | undefined;
}

/** What runs on a cluster, what the last update had installed, and what the stack file wants: a rollout may be between the two. */
export interface Releases {
  machines: Record<string, { runs: Installed; recorded: Installed; desired: Installed | undefined }>;
  /** Releases of Kubernetes; undefined where one is not known. */
  kubernetes: { recorded: string; desired: string; lowest: string; highest: string } | undefined;
}

const isSame = (one: Installed, other: Installed | undefined): boolean =>
  one.version === other?.version && one.schematic === other.schematic;

/** What was installed by hand, which no resource shows: Talos's releases and images, and Kubernetes' release. */
export const installedByHand = ({ machines, kubernetes }: Releases): Drift[] => [
  ...Object.entries(machines)
    .filter(([, { runs, recorded, desired }]) => !isSame(runs, recorded) && !isSame(runs, desired))
    .map(([name, { runs, recorded }]) =>
      byHand(
        `machine ${name}`,
        runs.version === recorded.version
          ? {
              runs: `the image of ${runs.schematic ?? "no profile"}`,
              recorded: `that of ${recorded.schematic ?? "none"}`,
            }
          : { runs: `Talos ${runs.version}`, recorded: recorded.version },
      ),
    ),
  ...(kubernetes === undefined ? [] : kubernetesByHand(kubernetes)),
];

const kubernetesByHand = ({ recorded, desired, lowest, highest }: NonNullable<Releases["kubernetes"]>): Drift[] => {
  const runs = [...new Set([lowest, highest])];
  return runs.every((each) => each === recorded || each === desired)
    ? []
    : [byHand("Kubernetes", { runs: runs.join(" to "), recorded })];
};

const byHand = (resource: string, installed: NonNullable<Drift["installed"]>): Drift => ({
  ...{ resource, isGone: false, paths: [], installed },
});

/**
 * Asks the machines of a stack, and its Kubernetes, which releases they run.
 *
 * @param skip called with why something cannot be asked, which is then left out
 */
export const releasesOf = async (target: Target, skip: (why: string) => void): Promise<Releases> => {
  const state = await target.engine.state();
  const config = await target.config();
  const recorded = recordedMachines(state);
  const kubeconfig = kubeconfigOf(state);
  const release = outputsOf(state, resourceTypes.talosCluster)?.kubernetes;
  if (kubeconfig === undefined || Object.keys(recorded).length === 0) return { machines: {}, kubernetes: undefined };
  const { talosctl = "talosctl" } = await new Toolchain({ root: target.root }).ensure(["talosctl"]);
  const access = { talos: new Talosctl(talosctl, talosClientOf(state)), kubeconfig, machines: recorded };
  const orSkip = <T>(work: Promise<T>, what: string): Promise<T | undefined> =>
    work.catch((error: unknown) => {
      skip(`${what}: ${messageOf(error)}`);
      return undefined;
    });
  const [machines, kubernetes] = await Promise.all([
    Promise.all(
      Object.entries(recorded).map(async ([name, machine]) => {
        const runs = await orSkip(readMachine(access.talos, machine.address), `${name} does not answer`);
        return runs ? [[name, { runs, recorded: machine.image, desired: desiredOf(config, name) }] as const] : [];
      }),
    ),
    orSkip(
      readNodes(kubeconfig).then((nodes) => readKubernetes(access, nodes)),
      "The Kubernetes API does not answer",
    ),
  ]);
  return {
    machines: Object.fromEntries(machines.flat()),
    kubernetes:
      kubernetes && typeof release === "string"
        ? { ...kubernetes, recorded: release, desired: config.cluster.kubernetes }
        : undefined,
  };
};

const desiredOf = ({ nodes, images, cluster }: HearthConfig, name: string): Installed | undefined => {
  const profile = images[nodes[name]?.image ?? ""];
  return profile && { version: cluster.talos, schematic: schematicId(profile) };
};
