import { documentOf, type TalosDocument } from "./document.ts";

/** Sets a machine's DNS servers. */
export const resolverDocument = (nameservers: string[]): TalosDocument =>
  documentOf("ResolverConfig", { nameservers: nameservers.map((address) => ({ address })) });

/** Sets a machine's NTP servers. */
export const timeSyncDocument = (servers: string[]): TalosDocument =>
  documentOf("TimeSyncConfig", { ntp: { servers } });
