import { readFile } from "node:fs/promises";

import { Listr, PRESET_TIMER } from "listr2";

import type { HearthConfig } from "../../infra/config/index.ts";
import { Display, duration } from "../../lib/terminal/display.ts";
import { Problem } from "../../toolchain/problem.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";
import { meansFor } from "../escrow/cli.ts";
import type { Escrow } from "../../lib/secrets/escrow.ts";
import type { Means } from "../escrow/write.ts";
import type { Target } from "../../lib/engine/target.ts";
import { mendConfiguration, openEscrow, withGivenSnapshot } from "./given.ts";
import type { State } from "../../lib/engine/state.ts";
import { lookAtEdge } from "./edge.ts";
import { authorityOf, fromBase64, readState } from "./examine.ts";
import { inquire } from "./inquiry.ts";
import { describeLosses, describePending } from "./describe.ts";
import { askProxmox, type AskProxmox } from "./proxmox.ts";
import { talosClientOf } from "../../lib/cluster/access.ts";
import { clientOfSecrets } from "../../lib/cluster/talosctl.ts";
import { Journal, type Entry } from "./journal.ts";
import { requireEscrowOfNow } from "./older-escrow.ts";
import { describePlan, planFor, type Case, type Situation } from "./plan.ts";
import type { PulumiStack } from "../../lib/engine/pulumi-stack.ts";
import { clearEngine, phasesOf, type Rebuild } from "./rebuild.ts";

export interface RebuildOptions {
  /** Path of the escrow file. @default the configuration's, where the state is lost */
  escrow: string | undefined;
  /** Files with age identities that may open what is encrypted. */
  identities: string[];
  /** A snapshot of etcd: its path, the name of one that is kept, or `latest`. */
  snapshot: string | undefined;
  /** Case that is forced. */
  wish: string | undefined;
  isPlanOnly: boolean;
  isRestart: boolean;
  /** Machines that a person says are lost. */
  lost: string[];
  /** How long machines that do not answer are asked again, in milliseconds. */
  timeout: number;
  signal: AbortSignal;
  confirm: (question: string) => Promise<boolean>;
  /** Has a person name the stack, where a plan destroys what is left. */
  confirmLoss: (what: string) => Promise<boolean>;
}

/**
 * Rebuilds a stack: finds out what is lost, says what it will do, asks, and does it; or goes on where it was interrupted.
 *
 * @returns seconds that each phase took; none where nothing was done
 */
export const rebuild = async (target: Target, options: RebuildOptions): Promise<Record<string, number>> => {
  const journal = await Journal.open(target.root, target.stack);
  if (options.isPlanOnly && journal.current !== undefined && !options.isRestart) {
    console.log(describePending(journal.current));
    return {};
  }
  const means = await meansFor(target, options.identities, true, new Display());
  const stack = target.engine;
  const entry = options.isRestart ? undefined : journal.current;
  if (entry !== undefined && !(await options.confirm(`${describePending(entry)}\nGo on with it?`))) return {};
  if (!options.isPlanOnly) {
    await clearEngine({ journal, stack });
    if (options.isRestart) await journal.close();
  }
  const given = entry?.snapshot ?? options.snapshot;
  const roots = await rootsFor(target, stack, { ...options, entry, means });
  if (roots && !options.isPlanOnly) await mendConfiguration(target, roots);
  const { talosctl = "talosctl" } = await new Toolchain({ root: target.root }).ensure(["talosctl"]);
  const identities = [...means.keys.identities, ...(roots ? [roots.ageIdentity] : [])];
  return withGivenSnapshot(target, given, identities, async (snapshot) => {
    if (entry === undefined) {
      const decided = await decide(target, stack, { ...options, roots, talosctl });
      if (options.isPlanOnly) return {};
      const losses = describeLosses(decided.plan);
      const isAgreed = losses === undefined ? options.confirm("Do that?") : options.confirmLoss(losses);
      if (!(await isAgreed)) return {};
      await journal.begin(decided);
    }
    const plan = journal.current?.plan;
    if (plan === undefined) return {};
    const config = await target.config();
    await carryOut({ stack, config, plan, journal, roots, snapshot, talosctl, signal: options.signal });
    const done = journal.current?.done ?? {};
    console.log(summary(done));
    await journal.close();
    return done;
  });
};

/** What the escrow holds, where the state has it no more. */
const rootsFor = async (
  target: Target,
  stack: PulumiStack,
  { entry, escrow, means }: { entry: Entry | undefined; escrow: string | undefined; means: Means },
): Promise<Escrow | undefined> => {
  const isLost = entry ? ["all", "state"].includes(entry.plan.case) : (await readState(stack)) === undefined;
  return isLost ? openEscrow(target, entry?.escrow ?? escrow, means) : undefined;
};

/** Looks at everything, and says what will be done. */
const decide = async (
  target: Target,
  stack: PulumiStack,
  {
    escrow,
    snapshot,
    wish,
    roots,
    talosctl,
    lost,
    timeout,
    signal,
  }: RebuildOptions & { roots: Escrow | undefined; talosctl: string },
): Promise<Entry> => {
  const state = await readState(stack);
  const config = await target.config();
  const display = new Display();
  const authority = state ? authorityOf(state) : fromBase64(roots?.talosSecrets.certs.os.crt ?? "");
  const situation: Situation = {
    state: stateOf(state),
    machines: await inquire({
      config,
      authority,
      client: roots ? await clientOfSecrets(talosctl, roots, config.cluster) : talosClientOf(requireState(state)),
      talosctl,
      proxmox: await proxmoxOf(target, config, roots),
      lost,
      timeout,
      say: (names, elapsed) => {
        display.live(
          `Waiting for ${names.join(", ")} to answer, for ${duration(elapsed / 1000)} of ${duration(timeout / 1000)}`,
        );
      },
      signal,
    }),
    edge: await lookAtEdge(config, await tokenOf(target, roots), {
      program: stack.pulumi.program,
      environment: stack.pulumi.whole(),
    }),
    hasEscrow: roots !== undefined,
    hasSnapshot: snapshot !== undefined,
  };
  const plan = planFor(situation, { ...(wish && { case: caseNamed(wish) }) });
  if (roots && !plan.loss.isClusterLost) await compareWithCluster(config, roots, { situation, talosctl });
  console.log([`Rebuilding ${target.stack}`, ...describePlan(plan, situation)].join("\n  "));
  return {
    version: 1,
    stack: target.stack,
    begun: new Date().toISOString(),
    plan,
    ...(escrow !== undefined && { escrow }),
    ...(snapshot !== undefined && { snapshot }),
    done: {},
  };
};

/** Where the cluster runs, the escrow has to be of what it is now. */
const compareWithCluster = async (
  config: HearthConfig,
  roots: Escrow,
  { situation: { machines }, talosctl }: { situation: Situation; talosctl: string },
): Promise<void> => {
  const running = Object.keys(machines).find((name) => machines[name]?.state === "member" && machines[name].hasEtcd);
  const address = running && config.nodes[running]?.address;
  if (address) await requireEscrowOfNow(config, roots, { address, talosctl });
};

/** The token of Cloudflare: without a state, Pulumi does not read the configuration, but the escrow has it. */
const tokenOf = async (target: Target, roots: Escrow | undefined, name = "cloudflareToken"): Promise<string> =>
  roots ? (roots.configured[name] ?? "") : target.engine.configure(["config", "get", `hearth:${name}`]).catch(() => "");

/** Proxmox's API as the stack reaches it; in the lab its certificate is of the lab's own authority. */
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
    token: await tokenOf(target, roots, "proxmoxToken"),
    authorities: file === undefined ? undefined : await readFile(file, "utf8"),
  });
};

const requireState = (state: State | undefined): State => {
  if (state === undefined)
    throw new Problem("The state is lost, and only the escrow has its secrets: name its file with --from");
  return state;
};

const stateOf = (state: State | undefined): Situation["state"] => {
  if (state === undefined) return "lost";
  return (state.deployment.pending_operations ?? []).length > 0 ? "interrupted" : "whole";
};

const caseNamed = (name: string): Case => {
  const cases: Case[] = ["machines", "state", "all", "interrupted"];
  const found = cases.find((each) => each === name);
  if (found === undefined) throw new Problem(`There is no case ${name}: it is one of ${cases.join(", ")}`);
  return found;
};

/** Does the phases that are not done yet, and shows which. */
const carryOut = async (rebuild: Rebuild): Promise<void> => {
  const { plan, journal } = rebuild;
  const list = new Listr(
    phasesOf(plan).map(({ name, title, run }) => ({
      title,
      skip: () => journal.current?.done[name] !== undefined,
      task: async (_: unknown, task: { output: string }) => {
        const started = Date.now();
        await run(rebuild, (text) => (task.output = text));
        await journal.finish(name, (Date.now() - started) / 1000);
      },
    })),
    {
      fallbackRenderer: "simple",
      rendererOptions: { timer: PRESET_TIMER, collapseErrors: false, showErrorMessage: false },
      fallbackRendererOptions: { timer: PRESET_TIMER },
    },
  );
  await list.run();
};

const summary = (done: Record<string, number>): string => {
  const total = Object.values(done).reduce((sum, seconds) => sum + seconds, 0);
  const parts = Object.entries(done).map(([name, seconds]) => `${name} ${seconds.toFixed(0)} s`);
  return `Rebuilt in ${total.toFixed(0)} s: ${parts.join(", ")}. A preview says that nothing changes`;
};
