import { resolve } from "node:path";

import { readArguments } from "../../toolchain/arguments.ts";
import { Problem } from "../../toolchain/problem.ts";
import { agreed, runCommand, type Session } from "../../lib/terminal/session.ts";
import { Target } from "../../lib/engine/target.ts";
import { rebuild } from "./command.ts";

const usage = `Usage: npm run rebuild -- STACK [--from ESCROW] [--etcd SNAPSHOT] [--yes] [--lab]

Finds out what a stack has lost, says what it is going to do, asks once, and does it. Run again after an interruption, it goes
on where it was.

  --from ESCROW    file with the root secrets, where the state is lost (escrow/<stack>.sops.yaml)
  --identity FILE  file with an age identity that opens it, beside those that SOPS finds; as often as needed
  --etcd SNAPSHOT  snapshot that etcd begins with: a file, the name of one that is kept, or latest; without it Flux fills
                   an empty etcd from Git
  --case CASE      machines, state or all, where what was found is not what you want
  --lost NAME      a machine that does not answer and is gone for good; as often as needed
  --wait SECONDS   how long machines that do not answer are asked again (180)
  --yes            do not ask, but for what is wiped or forgotten
  --confirm STACK  the stack's name, where a plan wipes or forgets what is left and nobody is there to type it
  --plan           say what would be done, and stop
  --restart        forget an interrupted rebuild, and look at everything anew
  --lab            the lab's stack (or evaluate what \`npm run lab -- env\` prints)`;

const options = {
  from: { type: "string" },
  identity: { type: "string", multiple: true },
  etcd: { type: "string" },
  case: { type: "string" },
  lost: { type: "string", multiple: true },
  wait: { type: "string" },
  confirm: { type: "string" },
  yes: { type: "boolean", short: "y" },
  plan: { type: "boolean" },
  restart: { type: "boolean" },
  lab: { type: "boolean" },
} as const;

const main = async (args: string[], session: Session): Promise<number> => {
  const { positionals, values } = readArguments(args, options, usage);
  const [stack] = positionals;
  if (values.help === true) {
    session.print(usage);
    return 0;
  }
  if (stack === undefined || positionals.length > 1) throw new Problem(usage);
  const abort = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(name, () => {
      console.error("Interrupted: ending what is under way. Run the same command again to go on");
      abort.abort(new Problem("The rebuild was interrupted; run it again to go on"));
    });
  }
  await rebuild(await Target.open(session.root, stack, { lab: values.lab === true }), {
    escrow: values.from && resolve(values.from),
    identities: values.identity ?? [],
    snapshot: values.etcd,
    wish: values.case,
    isPlanOnly: values.plan === true,
    isRestart: values.restart === true,
    lost: values.lost ?? [],
    timeout: secondsOf(values.wait ?? "180") * 1000,
    signal: abort.signal,
    confirmLoss: (what) => named(session, stack, { what, typed: values.confirm }),
    confirm: values.yes === true ? () => Promise.resolve(true) : (question) => agreed(session, question),
  });
  return 0;
};

/** Destroying needs the name of what is destroyed; `--yes` does not do. */
const named = async (
  { ask }: Pick<Session, "ask">,
  stack: string,
  { what, typed }: { what: string; typed: string | undefined },
): Promise<boolean> => {
  const answer = typed ?? (await ask?.(`${what}\nType the stack's name to do that: `));
  if (answer?.trim() === stack) return true;
  throw new Problem(`${what}\nNothing was done: where you want that, type the stack's name, or say --confirm ${stack}`);
};

const secondsOf = (text: string): number => {
  if (/^\d+$/.test(text)) return Number(text);
  throw new Problem(`--wait ${text} is no number of seconds: give one, as --wait 180`);
};

await runCommand(main);
// What a plugin left open must not keep a finished rebuild alive.
process.exit();
