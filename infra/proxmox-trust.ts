import { allAuthoritiesFor } from "./authorities.ts";
import { fingerprintsIn } from "./platforms/proxmox/certificates.ts";
import type { ProxmoxSettings } from "./platforms/proxmox/settings.ts";

/** Which certificate a plugin trusts Proxmox by. */
export type ProxmoxTrust = Pick<ProxmoxSettings, "ca" | "fingerprint">;

/**
 * Why plugins of this process would not trust Proxmox as the stack file says; undefined if they would.
 *
 * The provider takes no authority of its own, and a program cannot set variables of the plugins that run beside it. Hearth's commands
 * start the engine with a folder of such certificates in SSL_CERT_DIR. Source: bpg/terraform-provider-proxmox v0.111.1, proxmox/api/client.go.
 *
 * @param system as process.platform has it. On macOS, plugins ask the keychain, which is not looked at
 */
export const untrustedProxmox = async (
  stack: string,
  { ca, fingerprint }: ProxmoxTrust,
  environment: Readonly<Record<string, string | undefined>>,
  system: NodeJS.Platform = process.platform,
): Promise<string | undefined> => {
  const needed = fingerprint === undefined ? fingerprintsIn(ca ?? "") : [fingerprint];
  if (needed.length === 0 || system === "darwin") return undefined;
  const trusted = new Set(fingerprintsIn(await allAuthoritiesFor(environment)));
  if (needed.every((each) => trusted.has(each))) return undefined;
  const key = fingerprint === undefined ? "ca" : "fingerprint";
  return (
    `hearth:proxmox.${key} names a certificate that plugins of this shell do not trust, and their provider takes none of its own.\n` +
    `Run this first:  eval "$(npx hearth trust ${stack})"\n` +
    `or leave it to:  npx hearth deploy ${stack}`
  );
};
