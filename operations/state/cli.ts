import { duration } from "../../lib/terminal/display.ts";
import { Backups } from "../backup/backups.ts";
import { choose, list } from "../backup/list.ts";
import { keyForBackup } from "../backup/signing-key.ts";
import { credentialsFor } from "../escrow/credentials.ts";
import { tellCopies } from "../destinations/index.ts";
import type { Call } from "../../lib/terminal/command.ts";
import type { Target } from "../../lib/engine/target.ts";
import { backUpState, restoreState } from "./backup.ts";

/** Backs up a stack's state, or lists the backups. */
export const backup = async (call: Call<{ list?: boolean | undefined }>): Promise<number> => {
  const target = await call.open();
  return call.values.list === true ? list(await Backups.of(target, "state"), call) : backUp(target, call);
};

/** Restores the state from a backup. */
export const restore = async (call: Call<{ unsigned?: string | undefined }>): Promise<number> => {
  const { stack, args, values, identities, display } = call;
  const target = await call.open();
  const chosen = await choose(await Backups.of(target, "state"), args[0], values.unsigned, call);
  if (!(await call.agreed(`Put the state of ${stack} back to ${chosen.name}?`))) return 1;
  display.live("Restoring");
  const { keys } = await credentialsFor(target, identities, false, display);
  const { resources, saved } = await restoreState(target, chosen, keys.identities);
  call.print(`The state of ${stack} is that of ${chosen.name}, ${resources} resources`);
  if (saved !== undefined) call.print(`What it was before is in ${saved}`);
  call.answer({ stack, name: chosen.name, resources, saved });
  return 0;
};

const backUp = async (target: Target, { print, complain, display, answer }: Call): Promise<number> => {
  display.live("Backing the state up");
  const key = await keyForBackup(target, complain);
  const { name, resources, copies } = await backUpState(target, key);
  print(`${name} holds ${resources} resources (${duration(display.seconds)})`);
  answer({ name, resources, copies });
  const isWhole = tellCopies(copies, "Kept in", { print, complain });
  return isWhole ? 0 : 1;
};
