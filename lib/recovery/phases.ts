import { setTimeout as sleep } from "node:timers/promises";

import type { ClientConfiguration } from "@pulumi/talos";

import type { HearthConfig } from "../../infra/config/index.ts";
import { Problem } from "../../toolchain/problem.ts";
import { kubernetesOf, talosClientOf } from "../cluster/access.ts";
import { clientOfSecrets, etcdMembers, Talosctl } from "../cluster/talosctl.ts";
import { describeChanges, describeProgress } from "../engine/describe.ts";
import type { EngineEvent } from "../engine/events.ts";
import { forgotten, withoutLost } from "../engine/loss.ts";
import { update as updateAll, type PulumiStack, type RunOptions } from "../engine/pulumi-stack.ts";
import type { RunReport } from "../engine/report.ts";
import { adopting, type Roots } from "./adoption/index.ts";
import { ownEdge } from "./adoption/cloudflare.ts";
import type { RecoveryNote } from "./adoption/talos.ts";
import { waitForGit } from "./gitops.ts";
import { forgetBegunReleases } from "./helm.ts";
import type { Journal } from "./journal.ts";
import type { Plan } from "./plan.ts";

/** The stack that a recovery works on, and its tools. */
export interface Recovery {
  stack: PulumiStack;
  config: HearthConfig;
  plan: Plan;
  journal: Journal;
  /** What the escrow holds; undefined where the state has it. */
  roots: Roots | undefined;
  snapshot: string | undefined;
  talosctl: string;
  signal: AbortSignal;
  /** Further options of the engine's runs. */
  engine?: Pick<RunOptions, "hurry" | "onLine" | "policyPacks">;
  /** Judges a preview's events before the update. @throws Problem if the update must not be */
  judge?: (events: readonly EngineEvent[]) => Promise<void>;
}

/** A part of a recovery. It can be repeated from its beginning, however far it came. */
export interface Phase {
  name: string;
  title: string;
  run: (recovery: Recovery, say: (text: string) => void) => Promise<void>;
}

/** How long the engine may take to end after it was interrupted, in milliseconds. */
const interruptTimeout = 60_000;

/** The administrator's certificate, from the state or newly issued. */
export const clientOf = async ({ stack, roots, config, talosctl }: Recovery): Promise<ClientConfiguration> => {
  if (roots !== undefined) return clientOfSecrets(talosctl, roots, config.cluster);
  return talosClientOf(await stack.state());
};

export const forget: Phase = {
  name: "forget",
  title: "Forget what is lost",
  run: async ({ stack, plan }, say) => {
    const state = await stack.state();
    const lost = forgotten(state, plan.loss);
    if (lost.length === 0) return;
    say(lost.join(", "));
    if (plan.case === "interrupted") await forgetBegunReleases(state);
    await stack.changeState((now) => withoutLost(now, plan.loss));
  },
};

/**
 * Remembers how etcd began. That it was about to counts only on a machine that is empty, as a new one is, and one that was wiped: on any
 * other the etcd that answers later may be an older one.
 */
export const recoveryNote = ({
  journal,
  plan,
  config: { nodes },
}: Pick<Recovery, "journal" | "plan" | "config">): RecoveryNote => {
  const [bootstrapNode = ""] = Object.keys(nodes).filter((name) => nodes[name]?.role === "controlplane");
  const { declared = [], wiped = [], recovery } = journal.current ?? {};
  const isNew = plan.loss.machines.includes(bootstrapNode) && !declared.includes(bootstrapNode);
  const isEmpty = isNew || wiped.includes(bootstrapNode);
  return {
    hasBegun: recovery !== undefined,
    note: async (how) => {
      if (how === "recovered" || isEmpty) await journal.update({ recovery: how });
    },
  };
};

/** Previews the stack, and has the preview judged: the checkout may not be the one that the plan was made with. */
const previewed = async (
  { stack, signal, engine, judge }: Recovery,
  environment: Record<string, string> = {},
): Promise<RunReport> => {
  const events: EngineEvent[] = [];
  const onEvent = (event: EngineEvent): void => {
    events.push(event);
  };
  const options = { ...engine, environment, signal, interruptTimeout, onEvent };
  const report = await stack.run(["preview"], options).catch(async (error: unknown) => {
    // The engine's advice on what it refuses is to remove the protection. The judge's comes first.
    await judge?.(events);
    throw error;
  });
  await judge?.(events);
  return report;
};

/** Updates the whole stack, with what exists taken over instead of created. */
export const update = async (
  recovery: Recovery,
  say: (text: string) => void,
  touchesNothing: boolean,
): Promise<void> => {
  const { stack, journal, roots, snapshot, talosctl, plan, signal, engine } = recovery;
  await adopting(
    {
      roots,
      talosctl,
      snapshot: plan.recovers ? snapshot : undefined,
      isRunning: touchesNothing,
      controlPlanes: Object.values(recovery.config.nodes).flatMap(({ role, address }) =>
        role === "controlplane" ? [address] : [],
      ),
      recovery: recoveryNote(recovery),
      edge: ownEdge(recovery.config),
      pulumi: {
        program: stack.pulumi.program,
        environment: stack.pulumi.whole(),
        onStart: (pid) => void journal.note(pid),
      },
      onAdopted: (_, name) => {
        say(`found ${name}`);
      },
    },
    async (environment) => {
      if (recovery.judge) await previewed(recovery, environment);
      return stack.run(updateAll, {
        ...engine,
        interruptTimeout,
        environment,
        signal,
        onStart: (pid) => journal.note(pid),
        onProgress: (report) => {
          say(describeProgress(report));
        },
      });
    },
  );
  await journal.update({ processes: [] });
};

export const build: Phase = {
  name: "build",
  title: "Build what is missing",
  run: (recovery, say) => update(recovery, say, false),
};

/** Updates resources that were taken over from an interrupted creation. */
export const settle: Phase = {
  name: "settle",
  title: "Bring everything to what the configuration says",
  run: async (recovery, say) => {
    const { stack, journal, signal, engine } = recovery;
    const preview = await previewed(recovery);
    if (preview.isUnchanged) return;
    say(describeChanges(preview));
    await stack.run(updateAll, {
      ...engine,
      interruptTimeout,
      signal,
      onStart: (pid) => journal.note(pid),
    });
    await journal.update({ processes: [] });
  },
};

/** How long control planes may take to catch up with etcd, in milliseconds. */
const joinTimeout = 10 * 60_000;

/** A cluster whose etcd lacks members still runs, but does not survive the next loss. */
export const join: Phase = {
  name: "join",
  title: "Wait until every control plane votes in etcd",
  run: async (recovery, say) => {
    const planes = Object.entries(recovery.config.nodes).filter(([, { role }]) => role === "controlplane");
    const [bootstrapNode] = planes;
    if (bootstrapNode === undefined) return;
    const talos = new Talosctl(recovery.talosctl, await clientOf(recovery));
    const deadline = Date.now() + joinTimeout;
    for (;;) {
      const members = etcdMembers(await talos.run(bootstrapNode[1].address, ["etcd", "members"]));
      const voting = members.filter(({ isVoting }) => isVoting).map(({ name }) => name);
      const missing = planes.map(([name]) => name).filter((name) => !voting.includes(name));
      if (missing.length === 0) return;
      if (Date.now() > deadline) {
        throw new Problem(
          `${missing.join(", ")} did not join etcd: look at talosctl logs etcd there, and run this again`,
        );
      }
      say(`waiting for ${missing.join(", ")}`);
      recovery.signal.throwIfAborted();
      await sleep(2000);
    }
  },
};

export const reconcile: Phase = {
  name: "reconcile",
  title: "Let Git fill the cluster",
  run: async (recovery, say) => {
    const { plan, journal, signal } = recovery;
    const isAnew = plan.losesVolumes && journal.current?.recovery === "recovered";
    const revision = await waitForGit(await kubernetesOf(recovery.stack), { say, signal, isAnew });
    say(`at ${revision}`);
  },
};

export const verify: Phase = {
  name: "verify",
  title: "Make sure that nothing is left to change",
  run: async ({ stack, signal, engine }) => {
    // The required content of the escrow may just have changed. The policy checks it the next time.
    const preview = await stack.run(["preview"], { ...engine, policyPacks: [], signal, interruptTimeout });
    if (preview.isUnchanged) return;
    throw new Problem(
      `The stack is there, but a preview says: ${describeChanges(preview)}\n` +
        "Look at them with pulumi preview --diff, and apply what you agree with by pulumi up",
    );
  },
};

/** Finishes an interrupted update: finds what it had begun, and creates the rest. */
export const interruptedPhases: readonly Phase[] = [forget, build, settle, join, reconcile, verify];
