import { duration } from "../../lib/terminal/display.ts";
import { Problem } from "../../toolchain/problem.ts";
import { Backups } from "../backup/backups.ts";
import { choose, list } from "../backup/list.ts";
import { credentialsFor } from "../escrow/credentials.ts";
import { tellCopies } from "../destinations/index.ts";
import type { Call } from "../../lib/terminal/command.ts";
import type { Target } from "../../lib/engine/target.ts";
import { takeSnapshot, withSnapshot, type SnapshotFacts } from "./snapshot.ts";

/** Takes a snapshot of a stack's etcd, lists the stored ones, or opens one. */
export const snapshot = async (
  call: Call<{ list?: boolean | undefined; verify?: boolean | undefined; unsigned?: string | undefined }>,
): Promise<number> => {
  const { values, args, identities, display } = call;
  const [name] = args;
  if (values.list === true && values.verify === true) throw new Problem("--list or --verify: give one of them");
  if (name !== undefined && values.verify !== true)
    throw new Problem(`${name} is a snapshot to open: give --verify too`);
  if (values.unsigned !== undefined && values.verify !== true)
    throw new Problem("--unsigned names a snapshot to open: give --verify too");
  const target = await call.open();
  if (values.list !== true && values.verify !== true) return take(target, call);
  const backups = await Backups.of(target, "etcd");
  if (values.list === true) return list(backups, call);
  const chosen = await choose(backups, name, values.unsigned, call);
  display.live("Opening the snapshot");
  const { keys } = await credentialsFor(target, identities, false, display);
  const facts = await withSnapshot(target, chosen, keys.identities, (_, found) => Promise.resolve(found));
  call.print(`${chosen.name} is whole: ${described(facts)}`);
  call.answer({ name: chosen.name, ...facts });
  return 0;
};

const take = async (target: Target, { print, complain, display, answer }: Call): Promise<number> => {
  const live = (text: string): void => {
    display.live(text);
  };
  const { name, node, copies, ...facts } = await takeSnapshot(target, live, complain);
  print(`${name} is of ${node}: ${described(facts)} (${duration(display.seconds)})`);
  answer({ name, node, ...facts, copies });
  const isWhole = tellCopies(copies, "Kept in", { print, complain });
  return isWhole ? 0 : 1;
};

const described = ({ revision, keys, size }: SnapshotFacts): string =>
  `revision ${revision}, ${keys} keys, ${(size / 2 ** 20).toFixed(1)} MiB`;
