import type { Adopters } from "./adopter.ts";
import { cloudflareAdopters, type OwnEdge } from "./cloudflare.ts";
import { gitHubAdopters } from "./github.ts";
import { kubernetesAdopters } from "./kubernetes.ts";
import { AdoptingProxy } from "./proxy.ts";
import type { PulumiProgram } from "./plugin.ts";
import { platformAdopters } from "./platforms.ts";
import { randomAdopters } from "./random.ts";
import { talosAdopters, type TalosRecovery } from "./talos.ts";

export type { Roots } from "../../secrets/roots.ts";

export interface AdoptionOptions extends TalosRecovery {
  /** How plugins are started. */
  pulumi: PulumiProgram;
  /** The tunnels and records at Cloudflare that belong to this stack. @default none, so that only equal content is taken over */
  edge?: OwnEdge;
  onAdopted?: (type: string, name: string) => void;
}

/**
 * Runs work with an environment in which Pulumi's engine takes over what exists instead of creating it.
 *
 * Where machines run, nothing is created or changed at all.
 */
export const adopting = async <T>(
  options: AdoptionOptions,
  work: (environment: Record<string, string>) => Promise<T>,
): Promise<T> => {
  const adopters: Record<string, Adopters> = {
    random: randomAdopters(options.roots),
    ...platformAdopters(),
    talos: talosAdopters(options),
    kubernetes: kubernetesAdopters,
    cloudflare: cloudflareAdopters(options.edge),
    github: gitHubAdopters,
  };
  const { onAdopted, isRunning: adoptOnly } = options;
  // When an object is applied again, fields that the lost state's engine owned become this one's.
  const environment = { ...options.pulumi.environment, PULUMI_K8S_ENABLE_PATCH_FORCE: "true" };
  const pulumi = { ...options.pulumi, environment };
  const proxies = await Promise.all(
    Object.entries(adopters).map(async ([name, own]) => ({
      name,
      ...(await AdoptingProxy.start({ name, adopters: own, pulumi, adoptOnly, ...(onAdopted && { onAdopted }) })),
    })),
  );
  try {
    const ports = proxies.map(({ name, port }) => `${name}:${port}`).join(",");
    return await work({ PULUMI_DEBUG_PROVIDERS: ports });
  } finally {
    await Promise.all(proxies.map(({ proxy }) => proxy.stop()));
  }
};
