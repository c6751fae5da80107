import { connect } from "node:tls";
import { connect as connectTcp } from "node:net";

/** Port of the Talos API, and of etcd's. */
const ports = { talos: 50_000, etcd: 2379 };

/** How a machine answers at its address. */
export type MachineState =
  /** It runs with this cluster's certificates. */
  | "member"
  /** It waits for a configuration, or is another cluster's. */
  | "blank"
  /** It does not answer. */
  | "silent";

const timeout = 3000;

/**
 * Looks at a machine without asking it anything: a member of the cluster proves itself with a certificate of the cluster's
 * own authority, and one in maintenance mode with one that it made itself.
 *
 * @param authority certificate of the cluster's Talos authority, PEM
 */
export const machineState = (address: string, authority: string): Promise<MachineState> =>
  new Promise((resolve) => {
    const socket = connect({
      host: address,
      port: ports.talos,
      ca: authority,
      rejectUnauthorized: false,
      ALPNProtocols: ["h2"],
      timeout,
      checkServerIdentity: () => undefined,
    });
    const answer = (state: MachineState): void => {
      socket.destroy();
      resolve(state);
    };
    socket.once("secureConnect", () => {
      answer(socket.authorized ? "member" : "blank");
    });
    socket.once("timeout", () => {
      answer("silent");
    });
    socket.once("error", () => {
      answer("silent");
    });
  });

/** Whether etcd listens on a machine: it does from its bootstrap on. */
export const hasEtcd = (address: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connectTcp({ host: address, port: ports.etcd, timeout });
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
    socket.once("error", () => {
      answer(false);
    });
  });
