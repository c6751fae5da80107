import { setTimeout as sleep } from "node:timers/promises";

import type { ClientConfiguration } from "@pulumi/talos";

import type { HearthConfig } from "../../infra/config/index.ts";
import { kubernetesOf, talosClientOf } from "../../lib/cluster/access.ts";
import { describeChanges, describeProgress } from "../../lib/engine/describe.ts";
import { Problem } from "../../toolchain/problem.ts";
import { adopting, type Roots } from "../../lib/recovery/adoption/index.ts";
import { forgotten, withoutLost } from "../../lib/engine/loss.ts";
import { forgetLostVolumes } from "./forget-volumes.ts";
import { waitForGit } from "../../lib/recovery/gitops.ts";
import type { Journal } from "./journal.ts";
import { hasEtcd } from "../../lib/cluster/machine-state.ts";
import type { Plan } from "../../lib/recovery/plan.ts";
import { endEngine } from "../../lib/engine/processes.ts";
import { update as updateAll, type PulumiStack } from "../../lib/engine/pulumi-stack.ts";
import { clientOfSecrets, etcdMembers, Talosctl } from "../../lib/cluster/talosctl.ts";

/** What a rebuild works on and with. */
export interface Rebuild {
  stack: PulumiStack;
  config: HearthConfig;
  plan: Plan;
  journal: Journal;
  /** What the escrow holds; undefined where the state has it. */
  roots: Roots | undefined;
  snapshot: string | undefined;
  talosctl: string;
  signal: AbortSignal;
}

/** A part of a rebuild that may be done again from its beginning, whatever was done of it. */
export interface Phase {
  name: string;
  title: string;
  run: (rebuild: Rebuild, say: (text: string) => void) => Promise<void>;
}

/** How long the engine may take to end after it was interrupted, in milliseconds. */
const interruptTimeout = 60_000;

/** The phases of a plan, in order. */
export const phasesOf = ({ case: which }: Plan): Phase[] =>
  ({
    machines: [leave, wipe, forget, build, settle, join, volumes, reconcile, verify],
    interrupted: [forget, build, settle, join, reconcile, verify],
    all: [begin, wipe, build, settle, join, volumes, reconcile, verify],
    state: [begin, takeOver, verify],
  })[which];

/** Ends what a rebuild that was killed left behind: the engine and its plugins, and the lock on the state. */
export const clearEngine = async ({ journal, stack }: Pick<Rebuild, "journal" | "stack">): Promise<void> => {
  const { processes = [] } = journal.current ?? {};
  if (processes.length === 0) return;
  for (const pid of processes) await endEngine(pid);
  await stack.unlock();
  await journal.update({ processes: [] });
};

/** The administrator's certificate, of the state or made for the occasion. */
const clientOf = async ({ stack, roots, config, talosctl }: Rebuild): Promise<ClientConfiguration> => {
  if (roots !== undefined) return clientOfSecrets(talosctl, roots, config.cluster);
  return talosClientOf(await stack.state());
};

/** etcd goes on without the control planes that are gone, so that new ones of their names can join. */
const leave: Phase = {
  name: "leave",
  title: "Take lost control planes out of etcd",
  run: async (rebuild, say) => {
    const { config, plan, talosctl } = rebuild;
    const planes = Object.entries(config.nodes).filter(([, { role }]) => role === "controlplane");
    const lost = planes.filter(([name]) => plan.loss.machines.includes(name));
    const survivor = planes.find(([name]) => !plan.loss.machines.includes(name));
    if (plan.loss.isClusterLost || lost.length === 0 || survivor === undefined) return;
    const talos = new Talosctl(talosctl, await clientOf(rebuild));
    const members = etcdMembers(await talos.run(survivor[1].address, ["etcd", "members"]));
    for (const { id, name } of members.filter((member) => lost.some(([lostName]) => lostName === member.name))) {
      say(name);
      await talos.run(survivor[1].address, ["etcd", "remove-member", id]);
    }
  },
};

/** What is left of an etcd without a quorum goes, so that it can be founded anew; the machines keep their configuration. */
const wipe: Phase = {
  name: "wipe",
  title: "Wipe what is left of etcd",
  run: async (rebuild, say) => {
    const { config, plan, talosctl, signal } = rebuild;
    if (plan.wipes.length === 0) return;
    const talos = new Talosctl(talosctl, await clientOf(rebuild));
    for (const name of plan.wipes) {
      const address = config.nodes[name]?.address ?? "";
      if (!(await hasEtcd(address))) continue;
      say(name);
      const what = ["--graceful=false", "--reboot", "--wait=false", "--system-labels-to-wipe", "EPHEMERAL"];
      await talos.run(address, ["reset", ...what]);
      while (await hasEtcd(address)) {
        signal.throwIfAborted();
        await sleep(500);
      }
    }
  },
};

const forget: Phase = {
  name: "forget",
  title: "Forget what is lost",
  run: async ({ stack, plan }, say) => {
    const state = await stack.state();
    const lost = forgotten(state, plan.loss);
    if (lost.length === 0) return;
    say(lost.join(", "));
    await stack.replaceState(withoutLost(state, plan.loss));
  },
};

const begin: Phase = {
  name: "begin",
  title: "Begin a new state",
  run: async ({ stack }) => {
    if ((await stack.size()) === undefined) await stack.init();
  },
};

const update = async (rebuild: Rebuild, say: (text: string) => void, touchesNothing: boolean): Promise<void> => {
  const { stack, journal, roots, snapshot, talosctl, plan, signal } = rebuild;
  await adopting(
    {
      roots,
      talosctl,
      snapshot: plan.recovers ? snapshot : undefined,
      isRunning: touchesNothing,
      pulumi: {
        program: stack.pulumi.program,
        environment: stack.pulumi.whole(),
        onStart: (pid) => void journal.note(pid),
      },
      onAdopted: (_, name) => {
        say(`found ${name}`);
      },
    },
    (environment) =>
      stack.run(updateAll, {
        interruptTimeout,
        environment,
        signal,
        onStart: (pid) => journal.note(pid),
        onProgress: (report) => {
          say(describeProgress(report));
        },
      }),
  );
  await journal.update({ processes: [] });
};

const build: Phase = {
  name: "build",
  title: "Build what is missing",
  run: (rebuild, say) => update(rebuild, say, false),
};

const takeOver: Phase = {
  name: "take-over",
  title: "Take over what exists",
  run: (rebuild, say) => update(rebuild, say, true),
};

/** What was taken over half made, as an interrupted creation leaves it, is brought to what it should be. */
const settle: Phase = {
  name: "settle",
  title: "Bring everything to what the configuration says",
  run: async ({ stack, journal, signal }, say) => {
    const preview = await stack.run(["preview"], { signal, interruptTimeout });
    if (preview.isUnchanged) return;
    say(describeChanges(preview));
    await stack.run(updateAll, {
      interruptTimeout,
      signal,
      onStart: (pid) => journal.note(pid),
    });
    await journal.update({ processes: [] });
  },
};

/** How long control planes may take to catch up with etcd, in milliseconds. */
const joinTimeout = 10 * 60_000;

/** A cluster whose etcd lacks members lives, and dies of the next loss. */
const join: Phase = {
  name: "join",
  title: "Wait until every control plane votes in etcd",
  run: async (rebuild, say) => {
    const planes = Object.entries(rebuild.config.nodes).filter(([, { role }]) => role === "controlplane");
    const [founder] = planes;
    if (founder === undefined) return;
    const talos = new Talosctl(rebuild.talosctl, await clientOf(rebuild));
    const deadline = Date.now() + joinTimeout;
    for (;;) {
      const members = etcdMembers(await talos.run(founder[1].address, ["etcd", "members"]));
      const voting = members.filter(({ isVoting }) => isVoting).map(({ name }) => name);
      const missing = planes.map(([name]) => name).filter((name) => !voting.includes(name));
      if (missing.length === 0) return;
      if (Date.now() > deadline) {
        throw new Problem(
          `${missing.join(", ")} did not join etcd: look at talosctl logs etcd there, and run the rebuild again`,
        );
      }
      say(`waiting for ${missing.join(", ")}`);
      rebuild.signal.throwIfAborted();
      await sleep(2000);
    }
  },
};

/** etcd came back, and the disks did not. */
const volumes: Phase = {
  name: "volumes",
  title: "Forget volumes whose disks are lost",
  run: async (rebuild, say) => {
    const { plan, journal } = rebuild;
    if (!plan.losesVolumes) return;
    const forgotten = await forgetLostVolumes(await kubernetesOf(rebuild.stack), journal.current?.begun ?? "");
    if (forgotten.length > 0) say(forgotten.join(", "));
  },
};

const reconcile: Phase = {
  name: "reconcile",
  title: "Let Git fill the cluster",
  run: async (rebuild, say) => {
    const { plan, signal } = rebuild;
    const revision = await waitForGit(await kubernetesOf(rebuild.stack), { say, signal, isAnew: plan.losesVolumes });
    say(`at ${revision}`);
  },
};

const verify: Phase = {
  name: "verify",
  title: "Make sure that nothing is left to change",
  run: async ({ stack, signal }) => {
    const preview = await stack.run(["preview"], { signal, interruptTimeout });
    if (preview.isUnchanged) return;
    throw new Problem(
      `The stack is there, but a preview says: ${describeChanges(preview)}\n` +
        "Look at them with pulumi preview --diff, and apply what you agree with by pulumi up",
    );
  },
};
