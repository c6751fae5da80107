import type { HearthConfig } from "../../infra/config/index.ts";
import { trustOf, type Trust } from "../../lib/engine/certificate.ts";
import { askProxmox, type AskProxmox } from "../../lib/cluster/proxmox.ts";
import { valueOf, type Known } from "./finding.ts";
import { secretOf } from "./surroundings.ts";

/** How Proxmox can be asked. */
export interface ProxmoxReach {
  trust: Trust;
  /** The token with its secret; undefined if the stack file has none. */
  token: Known<string | undefined>;
  /** Undefined if nothing is to be asked: it does not answer, its certificate is not trusted, or there is no token. */
  ask: AskProxmox | undefined;
}

/** Finds out whether Proxmox can be asked. The token goes to no server whose certificate is not trusted. */
export const reachOf = async (
  { endpoint, insecure }: NonNullable<HearthConfig["proxmox"]>,
  { secrets, authorities }: { secrets: Known<Record<string, string>>; authorities: readonly string[] },
): Promise<ProxmoxReach> => {
  const trust = await trustOf(endpoint, authorities);
  const token = secretOf(secrets, "proxmoxToken");
  const secret = valueOf(token);
  const isAsked = trust.is === "trusted" || (trust.is === "untrusted" && insecure);
  const ask =
    isAsked && secret !== undefined ? askProxmox({ endpoint, insecure, token: secret, authorities }) : undefined;
  return { trust, token, ask };
};
