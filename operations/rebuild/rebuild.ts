import { setTimeout as sleep } from "node:timers/promises";

import { kubernetesOf } from "../../lib/cluster/access.ts";
import { hasEtcd } from "../../lib/cluster/machine-state.ts";
import { etcdMembers, Talosctl } from "../../lib/cluster/talosctl.ts";
import {
  build,
  clientOf,
  forget,
  interruptedPhases,
  join,
  reconcile,
  settle,
  update,
  verify,
  type Phase,
} from "../../lib/recovery/phases.ts";
import type { Plan } from "../../lib/recovery/plan.ts";
import { forgetLostVolumes } from "./forget-volumes.ts";

/** The phases of a plan, in order. */
export const phasesOf = ({ case: which }: Plan): readonly Phase[] =>
  ({
    machines: [leave, wipe, forget, build, settle, join, volumes, reconcile, verify],
    interrupted: interruptedPhases,
    all: [begin, wipe, build, settle, join, volumes, reconcile, verify],
    state: [begin, takeOver, verify],
  })[which];

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

const begin: Phase = {
  name: "begin",
  title: "Begin a new state",
  run: async ({ stack }) => {
    if ((await stack.size()) === undefined) await stack.init();
  },
};

const takeOver: Phase = {
  name: "take-over",
  title: "Take over what exists",
  run: (rebuild, say) => update(rebuild, say, true),
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
