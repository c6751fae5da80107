/**
 * Talos for Pulumi: the tokens of the published plugin (pulumiverse/pulumi-talos 0.8), as far as Hearth uses them.
 *
 * The names and fields are those of the plugin's schema; a test holds them against it.
 */
export { Provider, type ProviderArgs } from "./provider.ts";
export * as client from "./client.ts";
export * as cluster from "./cluster.ts";
export * as imageFactory from "./image-factory.ts";
export * as machine from "./machine.ts";
export type { ClientConfiguration, MachineSecrets, Certificate, Timeouts } from "./types.ts";
