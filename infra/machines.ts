import type * as pulumi from "@pulumi/pulumi";

import type { Machine, MachineFacts } from "../components/machines/machine.ts";
import { schematicId } from "../components/talos/schematic.ts";
import type { HearthConfig } from "./config/index.ts";
import type { CommonNode } from "./config/nodes.ts";
import type { PlatformSecrets } from "./configured-secrets.ts";
import { linkSettings } from "./links.ts";
import { nodesOf } from "./platforms/index.ts";
import { makers as all } from "./platforms/makers.ts";

/** Returns the machines of all platforms, by the name of their node. */
export const bootMachines = (
  config: HearthConfig,
  secrets: PlatformSecrets,
  imageProfiles: pulumi.Input<pulumi.Resource>[],
  makers = all,
): Record<string, Machine> =>
  Object.fromEntries(
    Object.entries(makers).flatMap(([name, make]) =>
      Object.entries(
        make({
          config,
          nodes: nodesOf(config.nodes, { name }),
          secret: (key) => (secrets as Record<string, pulumi.Output<string> | undefined>)[key],
          imageProfiles,
          factsOf: (node) => machineFacts(config, node),
        }),
      ),
    ),
  );

/** Combines a node, its image profile and the cluster's settings into the facts of a machine. */
export const machineFacts = (
  { cluster, network, images, imageFactory }: HearthConfig,
  node: CommonNode,
): MachineFacts => {
  const image = images[node.image];
  if (!image) throw new Error(`nodes: ${node.image} is not a profile under images`);
  const { role, address, labels, annotations, taints, sysctls, volumes, ephemeral, patches } = node;
  const { address6, renamedFrom } = node;
  return {
    role,
    address,
    address6,
    labels,
    annotations,
    taints,
    sysctls,
    volumes,
    ephemeral,
    patches,
    renamedFrom,
    link: linkSettings(network, node),
    install: node.diskSelector ? { diskSelector: node.diskSelector } : { disk: node.installDisk ?? "" },
    encryption: node.diskEncryption ?? cluster.diskEncryption,
    secureBoot: node.secureBoot ?? cluster.secureBoot,
    schematic: schematicId(image),
    architecture: image.architecture,
    factory: imageFactory,
    kernelModules: image.kernelModules,
    services: image.services,
  };
};
