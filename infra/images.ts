import type * as pulumi from "@pulumi/pulumi";
import type * as talos from "@pulumi/talos";

import { ImageProfiles } from "../components/talos/image-profiles.ts";
import type { HearthConfig } from "./config/index.ts";

/** Registers the profiles of all nodes with the Image Factory. */
export const registerImages = (
  { images, imageFactory, nodes }: HearthConfig,
  provider: talos.Provider,
): pulumi.Input<pulumi.Resource>[] => {
  const used = new Set(Object.values(nodes).map(({ image }) => image));
  const profiles = Object.fromEntries(Object.entries(images).filter(([name]) => used.has(name)));
  return new ImageProfiles("images", { factory: imageFactory, profiles }, { provider }).registered;
};
