import type * as pulumi from "@pulumi/pulumi";

import type { RepositorySecrets } from "./gitops.ts";
import type { platformSecrets } from "./platforms/index.ts";

/** Secrets of platforms. */
export type PlatformSecrets = Partial<Record<keyof typeof platformSecrets, pulumi.Output<string> | undefined>>;

/** Secrets that a person sets with `pulumi config set --secret`. */
export interface ConfiguredSecrets extends RepositorySecrets, PlatformSecrets {
  cloudflareToken: pulumi.Output<string> | undefined;
  /** Base64 of an existing age seed. Without it a new one is generated. */
  ageSeed: pulumi.Output<string> | undefined;
  /** Password that routers ask machines for. */
  bgpPassword?: pulumi.Output<string> | undefined;
  /** Credentials for image registries, by registry. */
  registryCredentials?: pulumi.Output<unknown> | undefined;
  /** Secrets of the services that extensions bring, as JSON. */
  serviceSecrets?: pulumi.Output<string> | undefined;
  /** Free-form patches of the machine configuration that contain keys. */
  machinePatches?: pulumi.Output<unknown> | undefined;
}
