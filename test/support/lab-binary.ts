import { tool } from "./tools.ts";

/** Path of `hearth-lab`, built from the sources as they are. */
export const labBinary = (): Promise<string> => tool("hearth-lab");
