import * as pulumi from "@pulumi/pulumi";

import { withPlugin } from "./package-options.ts";
import type { ClientConfiguration } from "./types.ts";

export interface GetConfigurationArgs {
  clusterName: pulumi.Input<string>;
  clientConfiguration: pulumi.Input<ClientConfiguration>;
  /** Addresses that talosctl calls. */
  endpoints?: pulumi.Input<pulumi.Input<string>[]>;
  /** Addresses of the machines that talosctl addresses by default. */
  nodes?: pulumi.Input<pulumi.Input<string>[]>;
}

export interface GetConfigurationResult {
  /** A talosconfig, YAML. Secret. */
  readonly talosConfig: string;
}

/** Renders a talosconfig, without a call to an API. */
export const getConfigurationOutput = (
  args: GetConfigurationArgs,
  options?: pulumi.InvokeOutputOptions,
): pulumi.Output<GetConfigurationResult> =>
  pulumi.runtime.invokeOutput("talos:client/getConfiguration:getConfiguration", { ...args }, withPlugin(options));
