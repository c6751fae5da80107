import * as pulumi from "@pulumi/pulumi";

import { withPlugin } from "./package-options.ts";

export interface SchematicArgs {
  /** The schematic, YAML. @default plain Talos */
  schematic?: pulumi.Input<string>;
}

/**
 * A schematic that is registered with the Image Factory, which assigns its ID. The factory keeps it for ever, so deleting the
 * resource deletes nothing.
 */
export class Schematic extends pulumi.CustomResource {
  declare readonly schematic: pulumi.Output<string | undefined>;

  constructor(name: string, args: SchematicArgs = {}, options?: pulumi.CustomResourceOptions) {
    super("talos:imageFactory/schematic:Schematic", name, { schematic: args.schematic }, withPlugin(options));
  }
}
