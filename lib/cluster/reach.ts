import { connect } from "node:net";

import { codeOf } from "../../toolchain/problem.ts";

/**
 * Connects to a port and closes the connection.
 *
 * @param timeout in milliseconds
 * @returns `refused` if something at the address refuses the connection, `silent` if nothing answers
 */
export const reach = (host: string, port: number, timeout: number): Promise<"open" | "refused" | "silent"> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout });
    const answer = (is: "open" | "refused" | "silent"): void => {
      socket.destroy();
      resolve(is);
    };
    socket.once("connect", () => {
      answer("open");
    });
    socket.once("timeout", () => {
      answer("silent");
    });
    socket.once("error", (error) => {
      answer(codeOf(error) === "ECONNREFUSED" ? "refused" : "silent");
    });
  });
