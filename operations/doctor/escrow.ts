import { readFile } from "node:fs/promises";

import { nameOf } from "../../components/urn.ts";
import { resourceTypes } from "../../components/resource-types.ts";
import { outputsOf, resourcesOf, type State } from "../../lib/engine/state.ts";
import type { Target } from "../../lib/engine/target.ts";
import type { Escrow } from "../../lib/secrets/escrow.ts";
import { Display } from "../../lib/terminal/display.ts";
import { Backups, type Backup } from "../backup/backups.ts";
import { destinationsOf } from "../destinations/index.ts";
import { checkEscrow, type Checked } from "../escrow/check.ts";
import { escrowOf } from "../escrow/collect.ts";
import { credentialsFor } from "../escrow/credentials.ts";
import type { Subject } from "./doctor.ts";
import { fine, known, listed, notAsked, problem, valueOf, warning, type Finding, type Known } from "./finding.ts";
import { withoutState, type Surroundings } from "./surroundings.ts";

/** Backups of one kind, as they are listed. */
export interface Listed {
  backups: Pick<Backup, "name" | "at">[];
  problems: string[];
}

/** What is known of the escrow and the backups. */
export interface EscrowFacts {
  stack: string;
  /** Why there is nothing to keep yet. */
  withoutState: string | undefined;
  escrow: Known<Pick<Checked, "path" | "trials" | "problems" | "remarks">> | undefined;
  state: Known<Listed> | undefined;
  etcd: Known<Listed> | undefined;
  /** When the state was written last. */
  writtenAt: Date | undefined;
  /** Names of the destinations that the configuration has. */
  destinations: string[];
  now: Date;
}

/** How old the newest snapshot of etcd may be, in hours: the cluster takes one a day. */
const snapshotHours = 36;

/** How long after a backup the state may have been written by the same command, in milliseconds. */
const sameCommand = 10 * 60_000;

export const escrowFindings = (facts: EscrowFacts): Finding[] => {
  const { withoutState: why, destinations } = facts;
  const places =
    destinations.length === 0
      ? warning(
          "escrow destinations",
          "there are none: the escrow and the backups are in this checkout only",
          "name a share, a bucket or a repository as hearth:escrow.copies",
        )
      : notAsked(
          "escrow destinations",
          `whether ${listed(destinations)} can be written to shows only by writing, as npx hearth backup does`,
        );
  if (why !== undefined) return [notAsked("escrow", why), notAsked("escrow backups", why), places];
  return [...escrowFinding(facts), ...stateFinding(facts), ...etcdFinding(facts), places];
};

const escrowFinding = ({ stack, escrow }: EscrowFacts): Finding[] => {
  const check = "escrow";
  if (escrow === undefined) return [];
  if ("why" in escrow)
    return [problem(check, `cannot be checked: ${escrow.why}`, `npx hearth escrow ${stack} --check says more`)];
  const { path, trials, problems, remarks } = escrow.value;
  const opened = trials.filter(({ outcome }) => outcome === "opened").length;
  if (problems.length > 0) {
    return problems.map((each) => problem(check, each, `npx hearth escrow ${stack} writes it; then commit it`));
  }
  return opened === 0
    ? [
        warning(
          check,
          `${path} is fresh, and no key at hand opens it`,
          "give --identity FILE with one of its recipients' identities, to see that it opens",
        ),
      ]
    : [fine(check, [`${path} is fresh, and ${opened.toString()} of its keys were tried`, ...remarks].join("; "))];
};

const stateFinding = ({ stack, state, writtenAt }: EscrowFacts): Finding[] => {
  const check = "escrow backup of the state";
  if (state === undefined) return [];
  if ("why" in state)
    return [problem(check, `cannot be listed: ${state.why}`, "look at hearth:escrow.copies and its credentials")];
  const { backups, problems } = state.value;
  const bad = problems.map((each) =>
    problem(check, each, `npx hearth backup ${stack} --list lists them; npx hearth backup ${stack} makes another`),
  );
  if (bad.length > 0) return bad;
  const [newest] = backups;
  const advice = `npx hearth backup ${stack} makes one; npx hearth deploy does after each update`;
  if (!newest) return [warning(check, "there is none", advice)];
  const isOlder = writtenAt !== undefined && writtenAt.getTime() - newest.at.getTime() > sameCommand;
  return [
    isOlder
      ? warning(check, `the newest, ${newest.name}, is older than the state`, advice)
      : fine(check, `the newest is ${newest.name}, and is signed`),
  ];
};

const etcdFinding = ({ stack, etcd, now }: EscrowFacts): Finding[] => {
  const check = "escrow snapshot of etcd";
  if (etcd === undefined) return [];
  if ("why" in etcd)
    return [problem(check, `cannot be listed: ${etcd.why}`, "look at hearth:escrow.copies and its credentials")];
  const { backups, problems } = etcd.value;
  const bad = problems.map((each) =>
    problem(check, each, `npx hearth snapshot ${stack} --list lists them; npx hearth snapshot ${stack} takes another`),
  );
  if (bad.length > 0) return bad;
  const [newest] = backups;
  const advice = `npx hearth snapshot ${stack} takes one; look why the cluster took none: docs/guides/etcd-backups.md`;
  if (!newest) return [warning(check, "there is none", advice)];
  const hours = Math.round((now.getTime() - newest.at.getTime()) / 3_600_000);
  return [
    hours > snapshotHours
      ? warning(check, `the newest, ${newest.name}, is ${hours.toString()} hours old`, advice)
      : fine(check, `the newest is ${newest.name}, and is signed`),
  ];
};

/** Whether a state has the root secrets that an escrow holds. An interrupted first update may have none yet. */
const hasRoots = (state: State | undefined): boolean =>
  state !== undefined && outputsOf(state, resourceTypes.machineSecrets) !== undefined;

const hasCluster = (state: State): boolean =>
  resourcesOf(state).some(({ type, urn }) => type === resourceTypes.bootstrap && nameOf(urn) !== "");

/** What the escrow should hold, of what was read already. */
const expected = async (
  target: Target,
  { config, secrets, state }: Pick<Surroundings, "config" | "secrets"> & { state: State },
): Promise<Escrow> => {
  if ("why" in secrets) throw new Error(`the stack file's secrets cannot be read: ${secrets.why}`);
  return escrowOf({
    ...{ stack: target.stack, cluster: config.cluster.name, state, configured: secrets.value, now: new Date() },
    stackFile: await readFile(target.stackFile, "utf8"),
    passphrase: await target.passphrase(),
  });
};

/** The escrow and the backups, as far as they can be looked at without writing. */
export const escrow: Subject = {
  name: "escrow",
  examine: async ({ target, config, state, secrets, identities }) => {
    const now = new Date();
    const destinations = destinationsOf(config, target.root).map(({ name }) => name);
    const why =
      withoutState(state) ??
      ("value" in state && !hasRoots(state.value) ? "the state has no root secrets yet" : undefined);
    const nothing = {
      stack: target.stack,
      escrow: undefined,
      state: undefined,
      etcd: undefined,
      writtenAt: undefined,
      destinations,
      now,
    };
    const whole = valueOf(state);
    if (why !== undefined || whole === undefined) return escrowFindings({ ...nothing, withoutState: why });
    const list = (kind: "state" | "etcd") => known(async () => (await Backups.of(target, kind)).list());
    const [checked, states, snapshots] = await Promise.all([
      known(async () => {
        const credentials = await credentialsFor(target, identities, false, new Display());
        return checkEscrow(target, credentials, () => expected(target, { config, secrets, state: whole }));
      }),
      list("state"),
      hasCluster(whole) ? list("etcd") : undefined,
    ]);
    const time = whole.deployment.manifest?.time;
    return escrowFindings({
      ...nothing,
      withoutState: undefined,
      ...{ escrow: checked, state: states, etcd: snapshots },
      writtenAt: time === undefined ? undefined : new Date(time),
    });
  },
};
