import type { HearthConfig } from "../../infra/config/index.ts";
import { talosClientOf } from "../../lib/cluster/access.ts";
import { clientOfSecrets, Talosctl } from "../../lib/cluster/talosctl.ts";
import type { Target } from "../../lib/engine/target.ts";
import { conditionOf, unmadeOf } from "../../lib/recovery/condition.ts";
import { authorityOf, fromBase64, readState } from "../../lib/recovery/examine.ts";
import type { Situation } from "../../lib/recovery/plan.ts";
import type { Escrow } from "../../lib/secrets/escrow.ts";
import { Display, duration } from "../../lib/terminal/display.ts";
import { Problem } from "../../toolchain/problem.ts";
import { lookAtEdge } from "./edge.ts";
import { formerNodes, requireGone, requireKnownMembers } from "./former.ts";
import { inquire } from "./inquiry.ts";
import { askProxmoxOf } from "../../lib/cluster/proxmox.ts";

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
  const former = formerOf(roots, config);
  const own = lost.filter((name) => name in config.nodes || !(name in former));
  const inquiry = {
    talosctl,
    signal,
    authority: state ? authorityOf(state) : fromBase64(roots?.talosSecrets.certs.os.crt ?? ""),
    client: roots ? await clientOfSecrets(talosctl, roots, config.cluster) : state && talosClientOf(state),
    proxmox:
      config.proxmox && (await askProxmoxOf(config.proxmox, target, await secretOf(target, roots, "proxmoxToken"))),
    say: (names: string[], elapsed: number) => {
      display.live(
        `Waiting for ${names.join(", ")} to answer, for ${duration(elapsed / 1000)} of ${duration(timeout / 1000)}`,
      );
    },
  };
  if (Object.keys(former).length > 0) {
    const wait = Object.keys(former).every((name) => lost.includes(name)) ? 0 : timeout;
    const there = { ...config, nodes: former };
    requireGone(await inquire({ ...inquiry, config: there, lost: [], timeout: wait, unmade: undefined }), lost);
  }
  const machines = await inquire({ ...inquiry, config, lost: own, timeout, unmade });
  display.clear();
  const led = Object.keys(machines).find((name) => machines[name]?.hasLeader === true);
  if (roots && led !== undefined && inquiry.client) {
    const members = await new Talosctl(talosctl, inquiry.client).once(config.nodes[led]?.address ?? "", [
      "etcd",
      "members",
    ]);
    requireKnownMembers(members, config.nodes);
  }
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

/** Machines that only the escrow knows. Its stack file may be newer than the checkout, or older. */
const formerOf = (roots: Escrow | undefined, { nodes }: HearthConfig): HearthConfig["nodes"] => {
  if (roots === undefined) return {};
  const former = formerNodes(roots.stackFile, nodes);
  if (former === undefined)
    console.log("The stack file in the escrow is not valid any more, so its machines are not compared");
  return former ?? {};
};

/** A secret of the configuration. Pulumi does not read it without a state, but the escrow has it. */
const secretOf = async ({ engine }: Target, roots: Escrow | undefined, name: string): Promise<string> =>
  roots ? (roots.configured[name] ?? "") : engine.secret(name);
