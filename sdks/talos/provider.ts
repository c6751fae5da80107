import * as pulumi from "@pulumi/pulumi";

import { withPlugin } from "./package-options.ts";

export interface ProviderArgs {
  /** URL of the Image Factory. @default https://factory.talos.dev */
  imageFactoryUrl?: pulumi.Input<string>;
}

/** The Talos plugin. */
export class Provider extends pulumi.ProviderResource {
  constructor(name: string, args: ProviderArgs = {}, options?: pulumi.ResourceOptions) {
    super("talos", name, { imageFactoryUrl: args.imageFactoryUrl }, withPlugin(options));
  }
}
