import type * as pulumi from "@pulumi/pulumi";

import type { Machine, MachineFacts } from "../../components/machines/machine.ts";
import type { CommonNode } from "../config/nodes.ts";
import type { HearthConfig } from "../config/index.ts";

/** What a platform's machines are made from. */
export interface Order<Node = CommonNode> {
  config: HearthConfig;
  /** The platform's own nodes. */
  nodes: Record<string, Node>;
  /** A secret of the platform, where it is set. */
  secret: (key: string) => pulumi.Output<string> | undefined;
  /** What registers the images of all profiles, before the first one is fetched. */
  imageProfiles: pulumi.Input<pulumi.Resource>[];
  factsOf: (node: CommonNode) => MachineFacts;
}

/** How machines of a platform come to be, by the name of their node. */
export type Maker<Node = CommonNode> = (order: Order<Node>) => Record<string, Machine>;
