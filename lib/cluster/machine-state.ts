import { connect, type PeerCertificate } from "node:tls";

import { reach } from "./reach.ts";

/** Port of the Talos API, and of etcd's. */
const ports = { talos: 50_000, etcd: 2379 };

/** How a machine answers at its address. */
export type MachineState =
  /** It runs with this cluster's certificates. */
  | "member"
  /** It waits for a configuration. */
  | "blank"
  /** It answers with another certificate: as another cluster's machine does, or one whose clock is off. */
  | "foreign"
  /** It does not answer. */
  | "silent";

/** How long a machine may take to answer, in milliseconds. */
const answerTimeout = 3000;

/**
 * Name in the certificate of a machine in maintenance mode, which the machine signs itself.
 *
 * Source: talos, pkg/machinery/constants, MaintenanceServiceCommonName; v1.12 to v1.14.
 */
const maintenanceName = "maintenance-service.talos.dev";

/** The state of a machine, by the certificate that it presents. */
export const stateBy = ({ isTrusted, commonName }: { isTrusted: boolean; commonName: unknown }): MachineState => {
  if (isTrusted) return "member";
  return commonName === maintenanceName ? "blank" : "foreign";
};

/**
 * Looks at a machine without asking it anything: a member of the cluster proves itself with a certificate of the cluster's
 * own authority, and one in maintenance mode has one of a name that Talos gives no other.
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
      timeout: answerTimeout,
      checkServerIdentity: () => undefined,
    });
    const answer = (state: MachineState): void => {
      socket.destroy();
      resolve(state);
    };
    socket.once("secureConnect", () => {
      const { subject } = socket.getPeerCertificate() as Partial<PeerCertificate>;
      answer(stateBy({ isTrusted: socket.authorized, commonName: subject?.CN }));
    });
    socket.once("timeout", () => {
      answer("silent");
    });
    socket.once("error", () => {
      answer("silent");
    });
  });

/** Whether etcd listens on a machine: it does from its bootstrap on. */
export const hasEtcd = async (address: string): Promise<boolean> =>
  (await reach(address, ports.etcd, answerTimeout)) === "open";
