import { documentOf, type TalosDocument } from "./document.ts";

/** What a machine knows of its surroundings beside the network. */
export interface Surroundings {
  /** Certificates of authorities in PEM, by name. Machines trust them beside the usual ones. */
  trustedRoots?: Record<string, string> | undefined;
  /** Names of hosts by their address, which need no DNS server. */
  staticHosts?: Record<string, string[]> | undefined;
}

/** Renders a document for each authority, and one for each host. */
export const surroundingsDocuments = ({ trustedRoots = {}, staticHosts = {} }: Surroundings): TalosDocument[] => [
  ...Object.entries(trustedRoots).map(([name, certificates]) =>
    documentOf("TrustedRootsConfig", { name, certificates }),
  ),
  ...Object.entries(staticHosts).map(([name, hostnames]) => documentOf("StaticHostConfig", { name, hostnames })),
];
