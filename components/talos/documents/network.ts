import { documentOf, type TalosDocument } from "./document.ts";

/** Whom a machine asks for names. */
export const resolverDocument = (nameservers: string[]): TalosDocument =>
  documentOf("ResolverConfig", { nameservers: nameservers.map((address) => ({ address })) });

/** Whom a machine asks for the time. */
export const timeSyncDocument = (servers: string[]): TalosDocument =>
  documentOf("TimeSyncConfig", { ntp: { servers } });
