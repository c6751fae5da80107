import { Display, duration } from "../../lib/terminal/display.ts";
import { readArguments } from "../../toolchain/arguments.ts";
import { Problem } from "../../toolchain/problem.ts";
import { Backups } from "../backup/backups.ts";
import { list } from "../backup/list.ts";
import { meansFor } from "../escrow/cli.ts";
import { tellCopies } from "../places/index.ts";
import { agreed, type Session } from "../../lib/terminal/session.ts";
import { Target } from "../../lib/engine/target.ts";
import { backUpState, restoreState } from "./backup.ts";

const usage = `Usage: npm run state -- COMMAND STACK [FLAG…]

  backup            put the stack's state, encrypted to the escrow's recipients, into backups/ and every place
                    that hearth:escrow.copies names
  list              list the backups, the newest first
  restore [NAME]    put the state back that a backup holds, the newest unless named; the present one is backed up first

  --identity FILE   a file with an age identity, beside those that SOPS finds by itself; as often as needed
  --yes             restore without asking
  --lab             the lab's stack; as well where the shell has evaluated \`npm run lab -- env\``;

const options = {
  lab: { type: "boolean" },
  yes: { type: "boolean" },
  identity: { type: "string", multiple: true },
} as const;

/**
 * Runs one command on the backups of a stack's state.
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
  if (!["backup", "list", "restore"].includes(command) || stack === undefined || more.length > 0)
    throw new Problem(usage);
  const target = await Target.open(session.root, stack, { lab: values.lab ?? false });
  const display = new Display();
  try {
    if (command === "backup") return await backUp(target, session, display);
    const backups = await Backups.of(target, "state");
    if (command === "list") return await list(backups, session);
    const chosen = await backups.choose(name);
    if (values.yes !== true && !(await agreed(session, `Put the state of ${stack} back to ${chosen.name}?`))) return 1;
    display.live("Restoring");
    const { keys } = await meansFor(target, values.identity ?? [], false, display);
    const { resources, saved } = await restoreState(target, chosen, keys.identities);
    display.clear();
    session.print(`The state of ${stack} is that of ${chosen.name}, ${resources} resources`);
    if (saved !== undefined) session.print(`What it was before is in ${saved}`);
    return 0;
  } finally {
    display.clear();
  }
};

const backUp = async (target: Target, { print, complain }: Session, display: Display): Promise<number> => {
  display.live("Backing the state up");
  const { name, resources, copies } = await backUpState(target);
  display.clear();
  print(`${name} holds ${resources} resources (${duration(display.seconds)})`);
  const isWhole = tellCopies(copies, "Kept in", { print, complain });
  return isWhole ? 0 : 1;
};
