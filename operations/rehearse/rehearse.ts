import { kubernetesOf } from "../../lib/cluster/access.ts";
import type { Kubernetes } from "../../lib/cluster/kubernetes.ts";
import { writeEscrow, type Credentials } from "../escrow/write.ts";
import { Display } from "../../lib/terminal/display.ts";
import { Backups } from "../backup/backups.ts";
import { collect } from "../escrow/collect.ts";
import { credentialsFor } from "../escrow/credentials.ts";
import { takeSnapshot, withSnapshot } from "../etcd/snapshot.ts";
import { rebuild } from "../rebuild/command.ts";
import { openEscrow } from "../rebuild/given.ts";
import { noLoss, requireKept } from "../rebuild/kept.ts";
import { requireNoRotation } from "../rebuild/rotation.ts";
import { requireFinished } from "../../lib/engine/unfinished.ts";
import { machinesOfState, requireSameMachines } from "../../lib/recovery/checkout.ts";
import { waitForGit } from "../../lib/recovery/gitops.ts";
import type { PulumiStack } from "../../lib/engine/pulumi-stack.ts";
import type { Target } from "../../lib/engine/target.ts";
import { rowIn } from "./database.ts";
import type { Disaster, Loss } from "./disaster.ts";
import { decryptedOf, identityOf, tracesOf, type Identity } from "./identity.ts";
import { requireRecoverable, type Openings } from "./proof.ts";
import { create, created, sentinels, remove } from "./sentinels.ts";
import type { Rehearsal, Span } from "./timeline.ts";
import {
  backedUpVolumes,
  backUp,
  readSentinel,
  removeSentinels,
  sentinelFiles,
  writeSentinel,
  type BackedUpVolume,
} from "./volume-sentinels.ts";

/** The input of a rehearsal. */
export interface Stage {
  target: Target;
  stack: PulumiStack;
  credentials: Credentials;
  /** Files with age identities, which the rebuild receives too. */
  identities: string[];
  disaster: Disaster;
  /** Whether volumes hold data and have backups. */
  hasVolumes: boolean;
  signal: AbortSignal;
}

/** What is compared before and after. */
interface Picture {
  identity: Identity;
  decrypted: Identity;
  traces: Identity;
  revision: string;
}

/** Rehearses one case: creates sentinels, backs up, destroys, rebuilds, and compares. */
export const rehearse = async (stage: Stage, loss: Loss): Promise<Rehearsal> => {
  const { target, credentials, disaster, signal } = stage;
  await requireRebuildable(stage);
  const before = await kubernetesOf(stage.stack);
  // Sentinels of an earlier rehearsal must not get into the snapshot.
  await remove(before);
  const early = await create(before, sentinels.early);
  const volumes = stage.hasVolumes ? await backedUpVolumes(before) : [];
  const earlyFiles = await writeSentinels(before, volumes, sentinelFiles.early);
  const marks: [string, number][] = [];
  await timed(marks, "escrow", () => writeEscrow(target, credentials));
  // Anything written after the start of the first backup may be lost.
  const saved = Date.now();
  if (volumes.length > 0) await timed(marks, "volumes backed up", () => backUpAll(before, volumes));
  const { name: snapshot } = await timed(marks, "snapshot", () => takeSnapshot(target, credentials.live));
  const late = await create(before, sentinels.late);
  const lateFiles = await writeSentinels(before, volumes, sentinelFiles.late);
  const wanted = await pictureOf(stage, before);
  await requireRecoverable(loss, await openingsOf(stage), { escrow: await collect(target), snapshot });
  const struck = Date.now();
  const lost = await disaster(target, loss);
  const began = Date.now();
  const done = await rebuild(target, {
    escrow: undefined,
    identities: stage.identities,
    snapshot: loss === "state" ? undefined : "latest",
    desiredCase: undefined,
    isPlanOnly: false,
    isRestart: true,
    lost: [],
    timeout: 180_000,
    signal,
    confirm: () => Promise.resolve(true),
    // The user has already typed the stack's name, or the stack is the lab's.
    confirmLoss: () => Promise.resolve(true),
  });
  const ended = Date.now();
  const after = await kubernetesOf(stage.stack);
  const found = await pictureOf(stage, after);
  const keepsLate = loss === "state";
  const checks = [
    ...compared(wanted.identity, found.identity),
    ...compared(wanted.decrypted, found.decrypted),
    ...(keepsLate ? compared(wanted.traces, found.traces) : []),
    { what: "revision of Git", isSame: wanted.revision === found.revision },
    { what: "object from before the backup", isSame: (await created(after, sentinels.early)) === early },
    {
      what: keepsLate ? "object from after the backup" : "nothing from after the backup",
      isSame: (await created(after, sentinels.late)) === (keepsLate ? late : undefined),
    },
    ...(await comparedFiles(after, { file: sentinelFiles.early, written: earlyFiles, isKept: () => true })),
    ...(await comparedFiles(after, {
      file: sentinelFiles.late,
      written: lateFiles,
      isKept: ({ isOnMachines }) => keepsLate || !isOnMachines,
    })),
  ];
  await remove(after);
  for (const volume of volumes) await removeSentinels(after, volume);
  const since = (time: number): number => (time - struck) / 1000;
  return {
    case: loss,
    lost,
    spans: [
      ...marks.map(([name, from], index): Span => {
        return { name, from: since(from), to: since(marks[index + 1]?.[1] ?? struck) };
      }),
      ...phases(done, since(began)),
    ],
    recoveryTime: since(ended),
    lossWindow: keepsLate ? undefined : (struck - saved) / 1000,
    checks,
  };
};

/** Requires what the rebuild will: that the checkout is the one that was deployed, and that no rotation is under way. */
const requireRebuildable = async ({ target, stack, signal }: Stage): Promise<void> => {
  await requireNoRotation(target);
  const state = await stack.state();
  requireFinished(state, target.stack);
  requireSameMachines(machinesOfState(state), (await target.config()).nodes);
  await requireKept(target, noLoss, signal);
};

/** Opens what the rebuild will open, with the keys that it will have: those at hand and in the named files. */
const openingsOf = async ({ target, identities }: Stage): Promise<Openings> => {
  const credentials = await credentialsFor(target, identities, true, new Display());
  return {
    escrow: () => openEscrow(target, undefined, credentials),
    snapshot: async (more) => {
      const kept = await (await Backups.of(target, "etcd")).choose();
      return withSnapshot(target, kept, [...credentials.keys.identities, ...more], () => Promise.resolve(kept.name));
    },
  };
};

const timed = <T>(marks: [string, number][], name: string, work: () => Promise<T>): Promise<T> => {
  marks.push([name, Date.now()]);
  return work();
};

/** The phases of a rebuild in sequence, from a given time. */
const phases = (done: Record<string, number>, from: number): Span[] => {
  let at = from;
  return Object.entries(done).map(([name, seconds]) => {
    const span = { name, from: at, to: at + seconds };
    at = span.to;
    return span;
  });
};

/** The content written into each volume. */
type Written = Map<BackedUpVolume, Buffer>;

const writeSentinels = async (
  kubernetes: Kubernetes,
  volumes: readonly BackedUpVolume[],
  file: string,
): Promise<Written> => {
  const written: Written = new Map();
  for (const volume of volumes) written.set(volume, await writeSentinel(kubernetes, volume, file));
  return written;
};

const backUpAll = async (kubernetes: Kubernetes, volumes: readonly BackedUpVolume[]): Promise<void> => {
  await Promise.all(volumes.map((volume) => backUp(kubernetes, volume)));
};

/** Checks a file in each volume: it has its content and row if it was to be kept, and is gone otherwise. */
const comparedFiles = async (
  kubernetes: Kubernetes,
  { file, written, isKept }: { file: string; written: Written; isKept: (volume: BackedUpVolume) => boolean },
): Promise<Rehearsal["checks"]> => {
  const checks: Rehearsal["checks"] = [];
  for (const [volume, content] of written) {
    const place = `${file} in volume ${volume.namespace}/${volume.claim}`;
    const found = await readSentinel(kubernetes, volume, file);
    if (!isKept(volume))
      checks.push({ what: `no file ${place}, which was not backed up`, isSame: found === undefined });
    else {
      const row = found && (await rowIn(found));
      checks.push({ what: `file ${place}`, isSame: found?.equals(content) === true });
      checks.push({ what: `row of ${place}`, isSame: row !== undefined && row === (await rowIn(content)) });
    }
  }
  return checks;
};

const compared = (wanted: Identity, found: Identity): Rehearsal["checks"] =>
  Object.entries(wanted).map(([what, digest]) => ({ what, isSame: found[what] === digest }));

const pictureOf = async ({ stack, signal }: Stage, kubernetes: Kubernetes): Promise<Picture> => ({
  revision: await waitForGit(kubernetes, { say: () => undefined, signal }),
  identity: await identityOf(await stack.state(), kubernetes),
  decrypted: await decryptedOf(kubernetes),
  traces: await tracesOf(kubernetes),
});
