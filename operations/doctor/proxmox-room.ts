import type { HearthConfig } from "../../infra/config/index.ts";
import { proxmoxAuthorities } from "../../lib/engine/proxmox-trust.ts";
import type { Target } from "../../lib/engine/target.ts";
import { configuredSecrets } from "../escrow/collect.ts";
import type { AskProxmox } from "../../lib/cluster/proxmox.ts";
import { known, knownWithin, type Known } from "./finding.ts";
import { reachOf } from "./proxmox-access.ts";
import { datastoreFindings, demandsOf, type Datastore } from "./proxmox-datastores.ts";

/** How long Proxmox may take, in milliseconds. */
const timeout = 5000;

/**
 * What is wrong with the datastores that a stack's machines ask of, a text for each: above all, one that has less room than the new disks
 * take together.
 *
 * Nothing if Proxmox cannot be asked, which a preview does not need.
 */
export const datastoreWarnings = async (target: Target, config: HearthConfig): Promise<string[]> => {
  const { proxmox } = config;
  if (proxmox === undefined) return [];
  const found = await knownWithin(timeout, async () => {
    const [secrets, authorities] = await Promise.all([
      known(() => configuredSecrets(target)),
      proxmoxAuthorities(proxmox, target.environment),
    ]);
    const { ask } = await reachOf(proxmox, { secrets, authorities });
    return ask === undefined ? [] : warningsOf(config, ask);
  });
  return "value" in found ? found.value : [];
};

/**
 * Asks for the machines that are there and for the datastores.
 *
 * Without the list of machines nothing is known of what is new.
 */
export const warningsOf = async (config: HearthConfig, ask: AskProxmox): Promise<string[]> => {
  const hosts = [...new Set(demandsOf(config, []).map(({ host }) => host))];
  const data = async <T>(path: string): Promise<Known<T>> => {
    const answer = await known(() => ask(path));
    if ("why" in answer) return answer;
    const { status, reason, data: value } = answer.value;
    return status === 200 ? { value: value as T } : { why: `Proxmox answers ${status.toString()} ${reason}` };
  };
  const [guests, ...datastores] = await Promise.all([
    data<{ vmid: number }[]>("/cluster/resources?type=vm"),
    ...hosts.map(
      async (host) => [host, await data<Datastore[]>(`/nodes/${encodeURIComponent(host)}/storage`)] as const,
    ),
  ]);
  if ("why" in guests) return [];
  const demands = demandsOf(
    config,
    guests.value.map(({ vmid }) => vmid),
  );
  return datastoreFindings(demands, Object.fromEntries(datastores))
    .filter(({ is }) => is === "problem" || is === "warning")
    .map(({ check, found, advice }) => `${check}: ${found}\n${advice}`);
};
