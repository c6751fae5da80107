import { tool } from "./tools.ts";

/** Path of `hearth-lab`, built from the present sources. */
export const labBinary = (): Promise<string> => tool("hearth-lab");
