import { rootCertificates } from "node:tls";

import { authoritiesFor } from "../../infra/authorities.ts";
import type { ProxmoxSettings } from "../../infra/platforms/proxmox/settings.ts";
import { Problem } from "../../toolchain/problem.ts";
import { presentedBy } from "./certificate.ts";
import type { Environment } from "./pulumi.ts";

/** Where Proxmox is, and whom to believe that it is Proxmox. */
export type ProxmoxPlace = Pick<ProxmoxSettings, "endpoint" | "ca" | "fingerprint">;

/**
 * The certificates that the stack file names, in PEM: the authority's, or the one that the endpoint presents, after its fingerprint was compared.
 * Nothing is sent to the endpoint.
 *
 * @returns none if the stack file names none, or if the endpoint does not answer
 * @throws Problem if the endpoint presents another certificate than the stack file says
 */
export const namedCertificates = async ({ endpoint, ca, fingerprint }: ProxmoxPlace): Promise<string[]> => {
  if (ca !== undefined) return [ca];
  if (fingerprint === undefined) return [];
  const found = await presentedBy(endpoint);
  if (found === undefined) return [];
  if (found.fingerprint === fingerprint) return [found.certificate];
  throw new Problem(
    `Proxmox at ${new URL(endpoint).host} has another certificate than hearth:proxmox.fingerprint says, and is sent nothing:\n` +
      `  it has          ${found.fingerprint}\n` +
      `  the stack file  ${fingerprint}\n` +
      "Compare it with the host's (pvenode cert info): if the certificate was renewed, write the new fingerprint; if not, somebody is between",
  );
};

/**
 * The certificates, in PEM, that Proxmox may present or be signed by: by a fingerprint, none but that one.
 *
 * @throws Problem as namedCertificates
 */
export const proxmoxAuthorities = async (place: ProxmoxPlace, environment: Environment): Promise<string[]> => {
  const named = await namedCertificates(place);
  if (place.fingerprint !== undefined) return named;
  const system = await authoritiesFor({ ...process.env, ...environment });
  return [...rootCertificates, ...(system === undefined ? [] : [system]), ...named];
};
