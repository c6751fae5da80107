import { metalMachine } from "../../../components/machines/metal.ts";
import type { Maker } from "../maker.ts";
import type { MetalNode } from "./index.ts";

/** Returns bare-metal machines, which exist already. */
export const metalMachines: Maker<MetalNode> = ({ nodes, factsOf }) =>
  Object.fromEntries(Object.entries(nodes).map(([name, node]) => [name, metalMachine(factsOf(node))]));
