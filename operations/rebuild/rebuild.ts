import { kubernetesOf } from "../../lib/cluster/access.ts";
import { Problem } from "../../toolchain/problem.ts";
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
import { fromBase64, lookAtMachines } from "../../lib/recovery/examine.ts";
import type { Plan } from "../../lib/recovery/plan.ts";
import { forgetLostVolumes } from "./forget-volumes.ts";
import { askedOfEtcd } from "./inquiry.ts";
import { wipeEtcd } from "./wipe.ts";

/** The phases of a plan, in order. */
export const phasesOf = ({ case: which }: Plan): readonly Phase[] =>
  ({
    machines: [leave, wipe, forget, build, settle, join, volumes, reconcile, verify],
    interrupted: interruptedPhases,
    all: [begin, wipe, build, settle, join, volumes, reconcile, verify],
    state: [begin, takeOver, verify],
  })[which];

/** Removes lost control planes from etcd, so that new ones with their names can join. */
const leave: Phase = {
  name: "leave",
  title: "Take lost control planes out of etcd",
  run: async (rebuild, say) => {
    const { config, plan, talosctl } = rebuild;
    const planes = Object.entries(config.nodes).filter(([, { role }]) => role === "controlplane");
    const lost = planes.filter(([name]) => plan.loss.machines.includes(name));
    const survivor = planes.find(([name]) => !plan.loss.machines.includes(name));
    if (plan.loss.isClusterLost || lost.length === 0 || survivor === undefined) return;
    const client = await clientOf(rebuild);
    const found = await lookAtMachines(config, fromBase64(client.caCertificate));
    const back = lost.find(([name]) => found[name]?.state === "member");
    if (back) {
      throw new Problem(
        `${back[0]}, which was taken for lost, answers as a member of the cluster, so it is not taken out of etcd: run this again ` +
          "with --restart, which looks at everything anew",
      );
    }
    const talos = new Talosctl(talosctl, client);
    const members = etcdMembers(await talos.run(survivor[1].address, ["etcd", "members"]));
    for (const { id, name } of members.filter((member) => lost.some(([lostName]) => lostName === member.name))) {
      say(name);
      await talos.run(survivor[1].address, ["etcd", "remove-member", id]);
    }
  },
};

/** Wipes what remains of an etcd without a quorum, so that it can start again. The machines keep their configuration. */
const wipe: Phase = {
  name: "wipe",
  title: "Wipe what is left of etcd",
  run: async (rebuild, say) => {
    const { config, plan, talosctl, signal, journal } = rebuild;
    if (plan.wipes.length === 0) return;
    const client = await clientOf(rebuild);
    const talos = new Talosctl(talosctl, client);
    const what = ["--graceful=false", "--reboot", "--wait=false", "--system-labels-to-wipe", "EPHEMERAL"];
    await wipeEtcd({
      names: plan.wipes,
      lost: plan.loss.machines,
      lostData: journal.current?.lostData ?? [],
      begun: journal.current?.wiped ?? [],
      look: async () =>
        askedOfEtcd(await lookAtMachines(config, fromBase64(client.caCertificate)), { config, client, talosctl }),
      note: (name) => journal.update({ wiped: [...(journal.current?.wiped ?? []), name] }),
      reset: async (name) => {
        await talos.run(config.nodes[name]?.address ?? "", ["reset", ...what]);
      },
      say,
      signal,
    });
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

/** Handles volumes after a recovery: etcd came back, but the disks did not. */
const volumes: Phase = {
  name: "volumes",
  title: "Forget volumes whose disks are lost",
  run: async (rebuild, say) => {
    const { plan, journal } = rebuild;
    if (!plan.losesVolumes) return;
    const { recovery, begun } = journal.current ?? {};
    // If this rebuild did not start the etcd, the etcd and its volumes may be in use.
    if (recovery !== "recovered" || begun === undefined) {
      console.log("Volumes are kept as they are: etcd ran before it could be recovered from the snapshot");
      return;
    }
    const forgotten = await forgetLostVolumes(await kubernetesOf(rebuild.stack), begun);
    if (forgotten.length > 0) say(forgotten.join(", "));
  },
};
