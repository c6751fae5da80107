import type * as pulumi from "@pulumi/pulumi";

import type { RepositorySecrets } from "./gitops.ts";
import type { platformSecrets } from "./platforms/index.ts";

/** Secrets of platforms. */
export type PlatformSecrets = Partial<Record<keyof typeof platformSecrets, pulumi.Output<string> | undefined>>;

/** Secrets that a person sets with `pulumi config set --secret`. */
export interface ConfiguredSecrets extends RepositorySecrets, PlatformSecrets {
  cloudflareToken: pulumi.Output<string> | undefined;
  /** Base64 of the age seed, where it is not to be a new one. */
  ageSeed: pulumi.Output<string> | undefined;
  /** Free-form patches of the machine configuration that carry keys. */
  machinePatches?: pulumi.Output<unknown> | undefined;
}
