import { documentOf, type TalosDocument } from "./document.ts";

/**
 * Sets a machine's host name.
 *
 * From contract v1.12 Talos generates `HostnameConfig` with `auto: stable`; a fixed name turns that off.
 * Source: Talos 1.12 reference, network/HostnameConfig.
 */
export const hostnameDocument = (hostname: string): TalosDocument =>
  documentOf("HostnameConfig", { hostname, auto: "off" });
