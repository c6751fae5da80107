import { chartOf, isRelease } from "../../../infra/tree-objects.ts";
import { called, findingAt, type Rule } from "./rule.ts";

/** Whether containerd throws away what it has unpacked, on Talos by default. Source: siderolabs/talos v1.13.9, hack/cri-plugin.part. */
const setting = /discard_unpacked_layers\s*=\s*false/;

/** Machines that have nothing to give to each other, because containerd keeps no layers. */
export const peerCache: Rule = (tree) => {
  const { cluster, nodes } = tree.config;
  const patches = [cluster.patches, ...Object.values(nodes).map((node) => node.patches)];
  if (setting.test(JSON.stringify(patches))) return [];
  return tree.objects
    .filter((object) => isRelease(object) && chartOf(tree.objects, object).name === "spegel")
    .map((object) =>
      findingAt(tree, object, {
        message: `${called(object)} has images to give only where containerd keeps their layers, and no machine does`,
        advice: "set discard_unpacked_layers in hearth:cluster.patches (docs/guides/options.md), or turn it off",
      }),
    );
};
