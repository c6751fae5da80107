import * as pulumi from "@pulumi/pulumi";

import { withPlugin } from "./package-options.ts";
import type { ClientConfiguration, Timeouts } from "./types.ts";

export interface KubeconfigArgs {
  /** Address of a control plane. */
  node: pulumi.Input<string>;
  clientConfiguration: pulumi.Input<ClientConfiguration>;
  endpoint?: pulumi.Input<string>;
  /** Renew the client certificate when its remaining validity is shorter. @default "720h" */
  certificateRenewalDuration?: pulumi.Input<string>;
  timeouts?: pulumi.Input<Timeouts>;
}

/** An administrator's kubeconfig, as a resource, so that previews need not fetch it from the cluster. */
export class Kubeconfig extends pulumi.CustomResource {
  /** The kubeconfig, YAML. Secret. */
  declare readonly kubeconfigRaw: pulumi.Output<string>;

  constructor(name: string, args: KubeconfigArgs, options?: pulumi.CustomResourceOptions) {
    const inputs = {
      ...args,
      clientConfiguration: pulumi.secret(args.clientConfiguration),
      kubeconfigRaw: undefined,
      kubernetesClientConfiguration: undefined,
    };
    const secretOutputs = { additionalSecretOutputs: ["kubeconfigRaw", "kubernetesClientConfiguration"] };
    super("talos:cluster/kubeconfig:Kubeconfig", name, inputs, withPlugin(pulumi.mergeOptions(secretOutputs, options)));
  }
}
