import type * as pulumi from "@pulumi/pulumi";

import type { Machine, MachineFacts } from "../../components/machines/machine.ts";
import type { CommonNode } from "../config/nodes.ts";
import type { HearthConfig } from "../config/index.ts";

/** What a platform creates its machines from. */
export interface Order<Node = CommonNode> {
  config: HearthConfig;
  /** The platform's own nodes. */
  nodes: Record<string, Node>;
  /** Returns a secret of the platform, if it is set. */
  secret: (key: string) => pulumi.Output<string> | undefined;
  /** Resources that register the images of all profiles, which have to exist before an image is downloaded. */
  imageProfiles: pulumi.Input<pulumi.Resource>[];
  factsOf: (node: CommonNode) => MachineFacts;
}

/** Creates the machines of a platform, by the name of their node. */
export type Maker<Node = CommonNode> = (order: Order<Node>) => Record<string, Machine>;
