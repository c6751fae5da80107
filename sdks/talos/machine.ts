import * as pulumi from "@pulumi/pulumi";

import { withPlugin } from "./package-options.ts";
import { unwrapped } from "./secret.ts";
import type { ClientConfiguration, MachineSecrets, Timeouts } from "./types.ts";

export interface SecretsArgs {
  /** Talos minor that the secrets are generated for. Lowering it generates new secrets. @example "v1.13" */
  talosVersion?: pulumi.Input<string>;
}

/** The root secrets of a cluster. To import them, use the path of a `secrets.yaml` as the ID. */
export class Secrets extends pulumi.CustomResource {
  declare readonly machineSecrets: pulumi.Output<MachineSecrets>;
  declare readonly clientConfiguration: pulumi.Output<ClientConfiguration>;
  declare readonly talosVersion: pulumi.Output<string>;

  constructor(name: string, args: SecretsArgs = {}, options?: pulumi.CustomResourceOptions) {
    const inputs = { talosVersion: args.talosVersion, machineSecrets: undefined, clientConfiguration: undefined };
    const secretOutputs = { additionalSecretOutputs: ["machineSecrets", "clientConfiguration"] };
    super("talos:machine/secrets:Secrets", name, inputs, withPlugin(pulumi.mergeOptions(secretOutputs, options)));
    this.machineSecrets = unwrapped(this.machineSecrets);
    this.clientConfiguration = unwrapped(this.clientConfiguration);
  }
}

export interface ConfigurationApplyArgs {
  /** Address of the machine. */
  node: pulumi.Input<string>;
  clientConfiguration: pulumi.Input<ClientConfiguration>;
  /** The machine's whole configuration. */
  machineConfigurationInput: pulumi.Input<string>;
  /** Address of the API. @default the node's */
  endpoint?: pulumi.Input<string>;
  /** @default "auto" */
  applyMode?: pulumi.Input<"auto" | "reboot" | "no_reboot" | "staged">;
  /** Strategic merge patches on top of the configuration. */
  configPatches?: pulumi.Input<pulumi.Input<string>[]>;
  /** What to do with the machine when the resource is destroyed. It takes effect only after it has been applied. */
  onDestroy?: pulumi.Input<{ reset?: boolean; graceful?: boolean; reboot?: boolean }>;
  timeouts?: pulumi.Input<Timeouts>;
}

/** The configuration that a machine runs. */
export class ConfigurationApply extends pulumi.CustomResource {
  declare readonly node: pulumi.Output<string>;
  /** The applied configuration. Secret. */
  declare readonly machineConfiguration: pulumi.Output<string>;

  constructor(name: string, args: ConfigurationApplyArgs, options?: pulumi.CustomResourceOptions) {
    const inputs = {
      ...args,
      clientConfiguration: pulumi.secret(args.clientConfiguration),
      machineConfigurationInput: pulumi.secret(args.machineConfigurationInput),
      machineConfiguration: undefined,
    };
    const secretOutputs = { additionalSecretOutputs: ["machineConfiguration", "machineConfigurationInput"] };
    super(
      "talos:machine/configurationApply:ConfigurationApply",
      name,
      inputs,
      withPlugin(pulumi.mergeOptions(secretOutputs, options)),
    );
  }
}

export interface BootstrapArgs {
  /** Address of the control plane that starts etcd. */
  node: pulumi.Input<string>;
  clientConfiguration: pulumi.Input<ClientConfiguration>;
  endpoint?: pulumi.Input<string>;
  timeouts?: pulumi.Input<Timeouts>;
}

/** The call that turns configured machines into a cluster. It happens once. */
export class Bootstrap extends pulumi.CustomResource {
  declare readonly node: pulumi.Output<string>;

  constructor(name: string, args: BootstrapArgs, options?: pulumi.CustomResourceOptions) {
    const inputs = { ...args, clientConfiguration: pulumi.secret(args.clientConfiguration) };
    super("talos:machine/bootstrap:Bootstrap", name, inputs, withPlugin(options));
  }
}

export interface GetConfigurationArgs {
  clusterName: pulumi.Input<string>;
  /** URL of the Kubernetes API. */
  clusterEndpoint: pulumi.Input<string>;
  machineType: pulumi.Input<"controlplane" | "worker">;
  machineSecrets: pulumi.Input<MachineSecrets>;
  /** Strategic merge patches, applied in order. */
  configPatches?: pulumi.Input<pulumi.Input<string>[]>;
  kubernetesVersion?: pulumi.Input<string>;
  /** The configuration contract. */
  talosVersion?: pulumi.Input<string>;
  docs?: pulumi.Input<boolean>;
  examples?: pulumi.Input<boolean>;
}

export interface GetConfigurationResult {
  /** The whole configuration, YAML. Secret. */
  readonly machineConfiguration: string;
}

/** Renders a machine's configuration, without a call to an API. */
export const getConfigurationOutput = (
  args: GetConfigurationArgs,
  options?: pulumi.InvokeOutputOptions,
): pulumi.Output<GetConfigurationResult> =>
  pulumi.runtime.invokeOutput(
    "talos:machine/getConfiguration:getConfiguration",
    { docs: false, examples: false, ...args },
    withPlugin(options),
  );
