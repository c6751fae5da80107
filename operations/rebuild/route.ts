import { reach } from "../../lib/cluster/reach.ts";

/** Timeout for an answer of a gateway, in milliseconds. */
const answerTimeout = 2000;

/** Whether anything answers at an address. A refused connection counts as an answer. */
export const answers = async (address: string, ports: readonly number[] = [443, 53]): Promise<boolean> =>
  (await Promise.all(ports.map((port) => reach(address, port, answerTimeout)))).some((is) => is !== "silent");

/** Describes the route to machines that do not answer. */
export const describeRoute = (gateway: string, { isThere, others }: { isThere: boolean; others: string[] }): string => {
  if (others.length > 0) return `${others.join(", ")} can be reached from here`;
  return isThere
    ? `the gateway ${gateway} answers, and no machine does`
    : `neither the gateway ${gateway} nor any machine answers, so there may be no route from here`;
};
