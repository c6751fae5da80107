import { readFile } from "node:fs/promises";

import type { HearthConfig } from "../../infra/config/index.ts";
import { talosClientOf } from "../../lib/cluster/access.ts";
import { clientOfSecrets } from "../../lib/cluster/talosctl.ts";
import type { Target } from "../../lib/engine/target.ts";
import { conditionOf, unmadeOf } from "../../lib/recovery/condition.ts";
import { authorityOf, fromBase64, readState } from "../../lib/recovery/examine.ts";
import type { Situation } from "../../lib/recovery/plan.ts";
import type { Escrow } from "../../lib/secrets/escrow.ts";
import { Display, duration } from "../../lib/terminal/display.ts";
import { Problem } from "../../toolchain/problem.ts";
import { lookAtEdge } from "./edge.ts";
import { inquire } from "./inquiry.ts";
import { askProxmox, type AskProxmox } from "./proxmox.ts";

export interface Examination {
  config: HearthConfig;
  /** Content of the escrow; undefined if the state has the root secrets. */
  roots: Escrow | undefined;
  snapshot: string | undefined;
  /** Path of the program talosctl. */
  talosctl: string;
  /** Machines that the user declares lost. */
  lost: readonly string[];
  /** How long to keep asking machines that do not answer, in milliseconds. */
  timeout: number;
  signal: AbortSignal;
}

/** Examines the state, every machine and the edge. It changes nothing. */
export const examine = async (target: Target, examination: Examination): Promise<Situation> => {
  const { config, roots, snapshot, talosctl, lost, timeout, signal } = examination;
  // A state beside the escrow is one that a takeover began, and does not have all yet.
  const state = roots === undefined ? await readState(target.engine) : undefined;
  if (state === undefined && roots === undefined) {
    throw new Problem("The state is lost, and only the escrow has its secrets: name its file with --from");
  }
  const display = new Display();
  // A given snapshot means that there was a cluster, even if its state is gone.
  const unmade = state && snapshot === undefined ? unmadeOf(state, Object.keys(config.nodes)) : undefined;
  const machines = await inquire({
    config,
    talosctl,
    lost,
    timeout,
    signal,
    unmade,
    authority: state ? authorityOf(state) : fromBase64(roots?.talosSecrets.certs.os.crt ?? ""),
    client: roots ? await clientOfSecrets(talosctl, roots, config.cluster) : state && talosClientOf(state),
    proxmox: await proxmoxOf(target, config, roots),
    say: (names, elapsed) => {
      display.live(
        `Waiting for ${names.join(", ")} to answer, for ${duration(elapsed / 1000)} of ${duration(timeout / 1000)}`,
      );
    },
  });
  display.clear();
  const { pulumi } = target.engine;
  return {
    state: conditionOf(state),
    machines,
    unmade,
    edge: await lookAtEdge(
      config,
      { token: await secretOf(target, roots, "cloudflareToken"), isTakingOver: state === undefined },
      { program: pulumi.program, environment: pulumi.whole() },
    ),
    hasEscrow: roots !== undefined,
    hasSnapshot: snapshot !== undefined,
  };
};

/** Reads a secret of the configuration. Pulumi does not read it without a state, but the escrow has it. */
const secretOf = async (target: Target, roots: Escrow | undefined, name: string): Promise<string> =>
  roots ? (roots.configured[name] ?? "") : target.engine.configure(["config", "get", `hearth:${name}`]).catch(() => "");

/** Proxmox's API as the stack reaches it. In the lab, the lab's own authority signs its certificate. */
const proxmoxOf = async (
  target: Target,
  { proxmox }: HearthConfig,
  roots: Escrow | undefined,
): Promise<AskProxmox | undefined> => {
  if (!proxmox) return undefined;
  const file = target.environment.SSL_CERT_FILE ?? process.env.SSL_CERT_FILE;
  return askProxmox({
    endpoint: proxmox.endpoint,
    insecure: proxmox.insecure,
    token: await secretOf(target, roots, "proxmoxToken"),
    authorities: file === undefined ? undefined : await readFile(file, "utf8"),
  });
};
