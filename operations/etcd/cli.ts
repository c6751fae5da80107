import { Display, duration } from "../../lib/terminal/display.ts";
import { readArguments } from "../../toolchain/arguments.ts";
import { Problem } from "../../toolchain/problem.ts";
import { Backups } from "../backup/backups.ts";
import { list } from "../backup/list.ts";
import { meansFor } from "../escrow/cli.ts";
import { tellCopies } from "../places/index.ts";
import type { Session } from "../../lib/terminal/session.ts";
import { Target } from "../../lib/engine/target.ts";
import { takeSnapshot, withSnapshot, type SnapshotFacts } from "./snapshot.ts";

const usage = `Usage: npm run etcd -- COMMAND STACK [FLAG…]

  snapshot         take a snapshot from a control plane, check it, and keep it encrypted to the escrow's recipients
                   in backups/ and in every place that hearth:escrow.copies names
  list             list the snapshots, the newest first
  verify [NAME]    open a snapshot, the newest unless named, and check its digest and its database

  --identity FILE  a file with an age identity, beside those that SOPS finds by itself; as often as needed
  --lab            the lab's stack; as well where the shell has evaluated \`npm run lab -- env\``;

const options = {
  lab: { type: "boolean" },
  identity: { type: "string", multiple: true },
} as const;

/**
 * Runs one command on snapshots of a stack's etcd.
 *
 * @returns its exit code
 */
export const cli = async (args: string[], session: Session): Promise<number> => {
  const { values, positionals } = readArguments(args, options, usage);
  const [command = "", stack, name, ...more] = positionals;
  if (values.help === true) {
    session.print(usage);
    return 0;
  }
  const named = command === "verify" || name === undefined;
  if (!["snapshot", "list", "verify"].includes(command) || stack === undefined || more.length > 0 || !named) {
    throw new Problem(usage);
  }
  const target = await Target.open(session.root, stack, { lab: values.lab ?? false });
  const display = new Display();
  try {
    if (command === "snapshot") return await snapshot(target, session, display);
    const backups = await Backups.of(target, "etcd");
    if (command === "list") return await list(backups, session);
    const chosen = await backups.choose(name);
    display.live("Opening the snapshot");
    const { keys } = await meansFor(target, values.identity ?? [], false, display);
    const facts = await withSnapshot(target, chosen, keys.identities, (_, found) => Promise.resolve(found));
    display.clear();
    session.print(`${chosen.name} is whole: ${described(facts)}`);
    return 0;
  } finally {
    display.clear();
  }
};

const snapshot = async (target: Target, { print, complain }: Session, display: Display): Promise<number> => {
  const { name, node, copies, ...facts } = await takeSnapshot(target, (text) => {
    display.live(text);
  });
  display.clear();
  print(`${name} is of ${node}: ${described(facts)} (${duration(display.seconds)})`);
  const isWhole = tellCopies(copies, "Kept in", { print, complain });
  return isWhole ? 0 : 1;
};

const described = ({ revision, keys, size }: SnapshotFacts): string =>
  `revision ${revision}, ${keys} keys, ${(size / 2 ** 20).toFixed(1)} MiB`;
