/**
 * Talos for Pulumi: those resources and functions of the published plugin (pulumiverse/pulumi-talos 0.8) that Hearth uses.
 *
 * The names and fields are those of the plugin's schema. A test compares them.
 */
export { Provider, type ProviderArgs } from "./provider.ts";
export * as client from "./client.ts";
export * as cluster from "./cluster.ts";
export * as imageFactory from "./image-factory.ts";
export * as machine from "./machine.ts";
export type { ClientConfiguration, MachineSecrets, Certificate, Timeouts } from "./types.ts";
