import { isoUrl, pxeUrl, schematicId, type ImageProfile } from "../../components/talos/schematic.ts";
import type { HearthConfig } from "../../infra/config/index.ts";
import { Problem } from "../../toolchain/problem.ts";
import { staticAddress } from "./static-address.ts";

/** What some machines have to boot for the first time. */
export interface FirstBoot {
  /** Name of the profile. */
  profile: string;
  document: ImageProfile;
  schematic: string;
  iso: string;
  /** Script for iPXE; undefined where nobody knows whether the factory has one. */
  pxe: string | undefined;
  isSecureBoot: boolean;
  /** Whether the image has its machine's address, so that nothing has to assign it. */
  isStatic: boolean;
  machines: { name: string; address: string; mac: string; isReserved: boolean }[];
}

/**
 * What each machine of metal has to boot. Machines of one profile and firmware boot the same, unless each image has its machine's address.
 *
 * @param only the node that is asked for; all unless given
 * @param isStatic whether images have addresses, for a network without DHCP
 * @throws Problem if there is no such node, or if Hearth makes its machine itself
 */
export const firstBoots = (config: HearthConfig, stack: string, only?: string, isStatic = false): FirstBoot[] => {
  const { nodes, images, cluster, imageFactory, network } = config;
  if (only !== undefined) requireMetal(config, stack, only);
  const boots = new Map<string, FirstBoot>();
  for (const [name, node] of Object.entries(nodes)) {
    const profile = images[node.image];
    if (node.platform !== "metal" || profile === undefined || (only !== undefined && name !== only)) continue;
    const document = isStatic ? withArguments(profile, staticAddress(name, node, network)) : profile;
    const isSecureBoot = node.secureBoot ?? cluster.secureBoot;
    const schematic = schematicId(document);
    const image = {
      ...({ platform: "metal", factory: imageFactory, secureBoot: isSecureBoot } as const),
      ...{ schematic, architecture: profile.architecture },
    };
    const iso = isoUrl(image, cluster.talos);
    const pxe = pxeUrl(image, cluster.talos);
    const shared = { profile: node.image, document, schematic, iso, pxe, isSecureBoot, isStatic };
    const boot = boots.get(iso) ?? { ...shared, machines: [] };
    boot.machines.push({ name, address: node.address, mac: node.mac, isReserved: node.dhcp });
    boots.set(iso, boot);
  }
  return [...boots.values()];
};

const withArguments = (profile: ImageProfile, more: readonly string[]): ImageProfile => ({
  ...profile,
  kernelArguments: [...profile.kernelArguments, ...more],
});

/** @throws Problem if there is no such node, or if Hearth makes its machine itself */
export const requireMetal = ({ nodes }: HearthConfig, stack: string, name: string): void => {
  const node = nodes[name];
  if (node === undefined)
    throw new Problem(`Pulumi.${stack}.yaml has no node ${name}: it has ${Object.keys(nodes).join(", ")}`);
  if (node.platform !== "metal")
    throw new Problem(
      `${name} is a virtual machine, which deploy makes and boots by itself: there is nothing to boot it from`,
    );
};
