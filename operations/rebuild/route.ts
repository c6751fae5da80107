import { connect } from "node:net";

import { codeOf } from "../../toolchain/problem.ts";

/** Timeout for an answer of a gateway, in milliseconds. */
const answerTimeout = 2000;

/** Whether anything answers at an address. A refused connection counts as an answer. */
export const answers = async (address: string, ports: readonly number[] = [443, 53]): Promise<boolean> =>
  (await Promise.all(ports.map((port) => answersAt(address, port)))).includes(true);

const answersAt = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: answerTimeout });
    const answer = (is: boolean): void => {
      socket.destroy();
      resolve(is);
    };
    socket.once("connect", () => {
      answer(true);
    });
    socket.once("timeout", () => {
      answer(false);
    });
    socket.once("error", (error) => {
      answer(codeOf(error) === "ECONNREFUSED");
    });
  });

/** Describes the route to machines that do not answer. */
export const describeRoute = (gateway: string, { isThere, others }: { isThere: boolean; others: string[] }): string => {
  if (others.length > 0) return `${others.join(", ")} can be reached from here`;
  return isThere
    ? `the gateway ${gateway} answers, and no machine does`
    : `neither the gateway ${gateway} nor any machine answers, so there may be no route from here`;
};
