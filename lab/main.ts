import { join } from "node:path";
import { readArguments } from "../lib/terminal/arguments.ts";
import { withLock } from "../toolchain/lock.ts";
import { explain, Problem } from "../toolchain/problem.ts";
import { destroy, down, env, logs, preview, reset, status } from "./commands.ts";
import { Display } from "../lib/terminal/display.ts";
import { labFolder } from "../lib/engine/lab-folder.ts";
import { Lab } from "./lab.ts";
import { lose } from "./lose.ts";
import { Interrupted } from "./interrupt.ts";
import type { Context } from "./context.ts";
import { up } from "./up.ts";

const usage = `Usage: npm run lab [-- COMMAND [STACK]]

  up        take the stack to a platform that Flux keeps at HEAD (without a command, this one)
  status    show machines, nodes, Flux's objects and endpoints
  env       print what a shell needs for kubectl, talosctl and pulumi: eval "$(npm run --silent lab -- env)"
  preview   say what the program would change
  destroy   destroy the stack, with everything that it made
  down      stop every process; the state stays for the next up
  reset     stop, and delete the state
  lose      make the stack lose what a disaster takes: machines, state, all, or machines by name
  logs      list the logs; with a name after the stack, print the end of that one

STACK is dev unless given.

  --volumes   with up, for a lab that is new: volumes hold data, and VolSync backs them up and restores them. Otherwise they only
              look like volumes`;

const options = { volumes: { type: "boolean" } } as const;

/** Commands that change the lab. Only one of them may run at a time. */
const changing: Record<string, (lab: Lab, context: Context, what?: string) => Promise<void>> = {
  up,
  preview,
  destroy,
  down,
  reset,
  lose,
};
const reading: Record<string, (lab: Lab, name?: string) => Promise<void>> = { status, env, logs };

/**
 * One press of Ctrl-C may arrive more than once, from npm too. Signals within this time, in milliseconds, count as one.
 */
const samePress = 1000;

/** Turns Ctrl-C into signals: the first press asks to stop, the second to stop immediately. */
const onInterrupt = (): { signal: AbortSignal; hurry: AbortSignal } => {
  const [first, second] = [new AbortController(), new AbortController()];
  let pressed = 0;
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => {
      const now = Date.now();
      if (pressed === 0) first.abort(new Interrupted());
      else if (now - pressed > samePress) second.abort(new Interrupted());
      else return;
      pressed = now;
    });
  }
  return { signal: first.signal, hurry: second.signal };
};

const change = async (name: string, lab: Lab, what?: string): Promise<void> => {
  const display = new Display();
  const interrupt = onInterrupt();
  interrupt.signal.addEventListener("abort", () => {
    display.line("Interrupted: ending what is under way. Press Ctrl-C again to end it at once");
  });
  try {
    await changing[name]?.(lab, { display, ...interrupt }, what);
  } catch (error) {
    display.clear();
    if (!(error instanceof Interrupted)) throw error;
    display.line("Stopping the lab");
    await lab.supervisor.stop();
    display.line("The lab is down; `npm run lab` continues from here");
    process.exitCode = 130;
  }
};

const main = async (args: string[]): Promise<void> => {
  const { positionals, values } = readArguments(args, options, usage);
  const [command = "up", stack = "dev", name] = positionals;
  if (values.help === true) {
    console.log(usage);
    return;
  }
  if (!(command in changing) && !(command in reading)) throw new Problem(`There is no command ${command}.\n\n${usage}`);
  if (positionals.length > (["logs", "lose"].includes(command) ? 3 : 2))
    throw new Problem(`Too many arguments.\n\n${usage}`);
  if (values.volumes === true && command !== "up") throw new Problem(`--volumes is an option of up only.\n\n${usage}`);
  const folder = labFolder(join(import.meta.dirname, ".."), stack);
  const lab = await Lab.open(folder);
  if (command in reading) return reading[command]?.(lab, name);
  const run = async (): Promise<void> => {
    if (values.volumes === true) await lab.keepVolumes();
    await change(command, lab, name);
  };
  await withLock(folder.lock, run, {
    onWait: (pid) => {
      throw new Problem(
        `Another \`npm run lab\`, process ${pid.toString()}, is changing the lab of ${stack}: wait for it`,
      );
    },
  });
};

main(process.argv.slice(2)).then(
  () => process.exit(),
  (error: unknown) => {
    console.error(explain(error));
    process.exit(1);
  },
);
