import { metalMachine } from "../../../components/machines/metal.ts";
import type { Maker } from "../maker.ts";
import type { MetalNode } from "./index.ts";

/** Machines of bare metal, which are there already. */
export const metalMachines: Maker<MetalNode> = ({ nodes, factsOf }) =>
  Object.fromEntries(Object.entries(nodes).map(([name, node]) => [name, metalMachine(factsOf(node))]));
