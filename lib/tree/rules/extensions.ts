import type { HearthConfig } from "../../../infra/config/index.ts";
import { at, groupOf, isRelease, textAt } from "../../../infra/tree-objects.ts";
import { called, everything, findingAt, type Rule, type TreeObject } from "./rule.ts";

interface Need {
  /** Any one of them will do. */
  extensions: string[];
  /** What does not work without it. */
  otherwise: string;
  /** Labels of the nodes that need it; every one that runs pods unless it has some. */
  labels?: Record<string, string>;
}

/** What an object needs of the machines' images. */
const needOf = (object: TreeObject): Need | undefined => {
  // democratic-csi runs the machine's iscsiadm.
  if (isRelease(object) && textAt(object.object, "spec", "values", "driver", "config", "driver")?.endsWith("-iscsi")) {
    return { extensions: ["siderolabs/iscsi-tools"], otherwise: "its volumes cannot be mounted there" };
  }
  if (groupOf(object) === "piraeus.io" && object.kind === "LinstorCluster") {
    const labels = { "hearth.dev/storage": "true" };
    return { extensions: ["siderolabs/drbd"], otherwise: "its volumes are not kept there", labels };
  }
  // Source: siderolabs/extensions release-1.13, nvidia-gpu/nvidia-container-toolkit.
  if (groupOf(object) === "node.k8s.io" && textAt(object.object, "handler") === "nvidia") {
    const extensions = ["siderolabs/nvidia-container-toolkit-production", "siderolabs/nvidia-container-toolkit-lts"];
    const labels = { "nvidia.com/gpu.present": "true" };
    return { extensions, otherwise: "its pods do not start there", labels };
  }
  const selected =
    object.kind === "DaemonSet" ? at(object.object, "spec", "template", "spec", "nodeSelector") : undefined;
  const [label, driver] = Object.entries(graphics).find(([each]) => textAt(selected, each) === "true") ?? [];
  if (label !== undefined && driver !== undefined) {
    return { extensions: [driver], otherwise: "it finds no graphics there", labels: { [label]: "true" } };
  }
  return undefined;
};

/** The driver that graphics need, by the label of the nodes that have them. Source: siderolabs/extensions v1.13.9, drm. */
const graphics: Record<string, string> = {
  "intel.feature.node.kubernetes.io/gpu": "siderolabs/i915",
  "amd.com/gpu.present": "siderolabs/amdgpu",
};

/** Drivers and runtimes that need an extension of Talos which the image of a machine lacks. */
export const extensions: Rule = (tree) =>
  everything(tree).flatMap((object) => {
    const need = needOf(object);
    if (need === undefined) return [];
    const lacking = profilesWithout(tree.config, need);
    return lacking.length === 0
      ? []
      : findingAt(tree, object, {
          message: `${called(object)} needs ${need.extensions.join(" or ")}, which machines with the image ${lacking.join(" and ")} lack: ${need.otherwise}`,
          advice: `add it under hearth:images, or turn the system off in the cluster's kustomization.yaml`,
        });
  });

const profilesWithout = ({ images, nodes, cluster }: HearthConfig, { extensions, labels = {} }: Need): string[] => {
  const all = Object.values(nodes);
  const onPlanes = cluster.scheduleOnControlPlanes ?? all.every(({ role }) => role === "controlplane");
  const used = all
    .filter(({ role }) => role === "worker" || onPlanes)
    .filter((node) => Object.entries(labels).every(([key, value]) => node.labels[key] === value))
    .map(({ image }) => image);
  return [...new Set(used)].filter((image) => !extensions.some((each) => images[image]?.extensions.includes(each)));
};
