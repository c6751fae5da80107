import { atOnce, longest, outagesOf, overlap, united, type Interval, type Outage, type Track } from "./outages.ts";

/** A step of a deployment, with the time that it took. */
export interface TimedStep extends Interval {
  /** @example "talos/den-dev-wk01" */
  name: string;
  what: string;
  /** What the deployment said it takes out of service. */
  out: string;
  isDone: boolean;
}

/** Everything that was measured of a deployment. */
export interface Measured {
  tracks: readonly Track[];
  steps: readonly TimedStep[];
  /** The machines that the cluster has before and after, by their names. */
  machines: Readonly<Record<string, { role: "controlplane" | "worker" }>>;
  /** Machines that the change takes away. */
  removed: readonly string[];
  /** Control planes that the cluster has throughout. */
  planes: number;
  /** On how many nodes the ready pods of a route's Service were before, by its name. */
  spread: Readonly<Record<string, number>>;
  /** When the measuring ended. */
  end: number;
  /** Whether the deployment was carried out to its end. */
  isDone: boolean;
}

/** An outage, and whether it may be. */
export interface Judged extends Outage {
  track: Pick<Track, "kind" | "name">;
  isExpected: boolean;
  /** Which step announced it, or why it must not be. */
  why: string;
}

/** One thing that a deployment has to hold. */
export interface Verdict {
  what: string;
  isHeld: boolean;
  /** What was measured. */
  measured: string;
  /** Why it does not hold; what explains it where it does. */
  why: string[];
}

/** How long the API may be gone in a row behind the VIP of several control planes, in milliseconds. */
export const apiLimit = 1000;

/**
 * How long an API server may take to restart while Kubernetes is upgraded, in milliseconds. The VIP stays at its machine meanwhile: Talos
 * has it go with etcd and the kubelet, and `talosctl upgrade-k8s` goes from one machine to the next without a word. Other steps hand it over.
 * Source: siderolabs/talos v1.13.9, internal/app/machined/pkg/controllers/network/operator/vip.go.
 */
const restartLimit = 60_000;

/** How long etcd may take to elect another leader, in milliseconds. API servers ask it once a second. */
export const electionLimit = 3000;

/** Between what a deployment says and when a machine is asked lie a few seconds. */
const slack = 3000;

/** The machine that a step is about; undefined for one that is about all. */
export const machineOf = ({ name }: Pick<TimedStep, "name">): string | undefined => name.split("/")[1];

/** Whether a step is about a machine, under its new name or under the one that the step takes from it. */
const isAbout = (step: TimedStep, machine: string): boolean =>
  machineOf(step) === machine || (step.name.startsWith("rename/") && step.out === machine);

/** Returns all outages, with what announced each. */
export const judgedOutages = (measured: Measured): Judged[] =>
  measured.tracks.flatMap((track) =>
    outagesOf(untilRemoved(track, measured), measured.end).map((outage) => ({
      ...outage,
      track: { kind: track.kind, name: track.name },
      ...judge(track, outage, measured),
    })),
  );

/** A machine that was taken away is not asked any more from then on. */
const untilRemoved = ({ kind, name, samples }: Track, { removed, steps }: Measured): Track["samples"] => {
  if ((kind !== "machine" && kind !== "node") || !removed.includes(name)) return samples;
  const left = steps.find((step) => /^(remove|rename)\//.test(step.name) && isAbout(step, name) && step.isDone)?.to;
  if (left === undefined) return samples;
  return [...samples.filter(({ at }) => at < left), { at: left, is: "none" }];
};

type Judgement = Pick<Judged, "isExpected" | "why">;

const judge = (track: Track, outage: Outage, measured: Measured): Judgement => {
  if (!outage.isOver && track.kind === "edge" && measured.isDone)
    return { isExpected: true, why: "the change takes it away" };
  if (!outage.isOver) return { isExpected: false, why: "it was not back when the measuring ended" };
  const during = measured.steps.filter((step) => overlap(step, outage));
  const expected = (step: TimedStep): Judgement => ({ isExpected: true, why: `${step.name} takes out ${step.out}` });
  const { kind, name } = track;
  if (kind === "machine" || kind === "node") {
    const own = during.find((step) => isAbout(step, name) || (kind === "node" && machineOf(step) === undefined));
    if (own === undefined) return { isExpected: false, why: "no step under way was about it" };
    return isWithin(outage, own)
      ? expected(own)
      : { isExpected: false, why: `it was out outside of ${own.name}, the step that was about it` };
  }
  if (kind === "api" || kind === "etcd") return judgePlane(kind, outage, during, measured);
  if (kind === "route") return judgeRoute(name, during, measured);
  if (kind === "flux") return { isExpected: true, why: "Flux reconciled it, or waited for its source" };
  return { isExpected: false, why: "a tunnel and records have to stay through a deployment" };
};

const isWithin = (outage: Interval, step: Interval): boolean =>
  outage.from >= step.from - slack && outage.to <= step.to + slack;

const judgePlane = (
  kind: "api" | "etcd",
  outage: Outage,
  during: readonly TimedStep[],
  { planes, machines }: Measured,
): Judgement => {
  const length = outage.to - outage.from;
  if (planes > 1) {
    if (kind === "etcd")
      return length > electionLimit
        ? { isExpected: false, why: `${planes} control planes keep the quorum` }
        : { isExpected: true, why: "etcd elected another leader" };
    if (length <= restartLimit && during.some(({ name }) => name === "kubernetes"))
      return { isExpected: true, why: "kubernetes restarts the API server of the machine that has the endpoint" };
    return length > apiLimit
      ? { isExpected: false, why: `${planes} control planes are behind the endpoint, which may be gone for 1 s` }
      : { isExpected: true, why: "the endpoint moved to another control plane" };
  }
  if (length <= apiLimit) return { isExpected: true, why: "it answered again within 1 s" };
  const [other] = during;
  const own = during.find((step) => {
    const machine = machineOf(step);
    return machine === undefined || machines[machine]?.role === "controlplane";
  });
  if (own !== undefined) return { isExpected: true, why: `${own.name} takes out ${own.out}` };
  // With nothing else under way, the update gives the only control plane other settings.
  return other === undefined
    ? { isExpected: true, why: "there is one control plane, and it took other settings" }
    : { isExpected: false, why: `${other.name} takes out ${other.out} alone` };
};

const judgeRoute = (name: string, during: readonly TimedStep[], { spread }: Measured): Judgement => {
  const nodes = spread[name] ?? 0;
  const [step] = during;
  if (nodes > 1) return { isExpected: false, why: `its Service had ready pods on ${nodes} nodes` };
  return {
    isExpected: true,
    why: step
      ? `its Service had ready pods on one node only, during ${step.name}`
      : "its Service had ready pods on one node only, and the change made new ones",
  };
};

/** Returns whether each thing held that a deployment has to hold. */
export const verdictsOf = (measured: Measured): Verdict[] => {
  const judged = judgedOutages(measured);
  return [
    machinesVerdict(measured, judged),
    simpleVerdict("The Kubernetes API, at the endpoint", "api", judged),
    simpleVerdict("etcd's quorum", "etcd", judged),
    simpleVerdict(`Services of ${counted(measured.tracks, "route", "route")}`, "route", judged),
    simpleVerdict(
      `Tunnels and records, ${measured.tracks.filter(({ kind }) => kind === "edge").length}`,
      "edge",
      judged,
    ),
    simpleVerdict(`Flux, ${counted(measured.tracks, "flux", "object")}`, "flux", judged),
  ].filter(({ kind }) => measured.tracks.some((track) => track.kind === kind));
};

const counted = (tracks: readonly Track[], kind: Track["kind"], word: string): string => {
  const count = tracks.filter((track) => track.kind === kind).length;
  return `${count} ${word}${count === 1 ? "" : "s"}`;
};

type KindVerdict = Verdict & { kind: Track["kind"] };

const isMachines = ({ track: { kind } }: Judged): boolean => kind === "machine" || kind === "node";

/** The times in which machines were out of service, as machines or as nodes, by their names. */
export const machinesOut = (judged: readonly Judged[]): Record<string, Interval[]> => {
  const all = judged.filter(isMachines);
  return Object.fromEntries(
    [...new Set(all.map(({ track }) => track.name))].map((name) => [
      name,
      united(all.filter(({ track }) => track.name === name)),
    ]),
  );
};

const machinesVerdict = ({ machines }: Measured, judged: readonly Judged[]): KindVerdict => {
  const out = machinesOut(judged);
  const most = atOnce(out);
  const unexpected = judged.filter((each) => isMachines(each) && !each.isExpected);
  const together = most.names.length > 1;
  return {
    kind: "machine",
    what: `Machines, ${Object.keys(machines).length}`,
    isHeld: !together && unexpected.length === 0,
    measured:
      most.names.length === 0
        ? "none was out of service"
        : `${most.names.length} at once at most; ${Object.entries(out)
            .map(([name, times]) => `${name} for ${inSeconds(longest(times))}`)
            .join(", ")}`,
    why: unique([
      ...(together ? [`${most.names.join(" and ")} were out together for ${inSeconds(most.milliseconds)}`] : []),
      ...unexpected.map(({ track, why }) => `${track.name}: ${why}`),
      ...judged.filter((each) => isMachines(each) && each.isExpected).map(({ why }) => why),
    ]),
  };
};

const simpleVerdict = (what: string, kind: Track["kind"], judged: readonly Judged[]): KindVerdict => {
  const own = judged.filter(({ track }) => track.kind === kind);
  const isMany = !["api", "etcd"].includes(kind);
  // Flux looks at every object for each commit.
  const named = ({ track, why, isExpected }: Judged): string =>
    isMany && !(kind === "flux" && isExpected) ? `${track.name}: ${why}` : why;
  const worst = own.filter(({ to, from }) => to - from === longest(own));
  return {
    kind,
    what,
    isHeld: own.every(({ isExpected }) => isExpected),
    measured:
      own.length === 0
        ? kind === "flux"
          ? "ready throughout"
          : "not gone"
        : `${kind === "flux" ? "not ready" : "gone"} for ${inSeconds(longest(own))} at most` +
          (isMany ? `, ${worst[0]?.track.name ?? ""}` : own.length > 1 ? `, ${own.length} times` : ""),
    why: unique(
      [...own.filter(({ isExpected }) => !isExpected), ...own.filter(({ isExpected }) => isExpected)].map(named),
    ),
  };
};

const unique = (lines: readonly string[]): string[] => [...new Set(lines)];

/** @example "1.3 s" */
export const inSeconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;
