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
  --yes            do not ask
  --plan           say what would be done, and stop
  --restart        forget an interrupted rebuild, and look at everything anew
  --lab            the lab's stack (or evaluate what \`npm run lab -- env\` prints)`;

const options = {
  from: { type: "string" },
  identity: { type: "string", multiple: true },
  etcd: { type: "string" },
  case: { type: "string" },
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
    signal: abort.signal,
    confirm: values.yes === true ? () => Promise.resolve(true) : (question) => agreed(session, question),
  });
  return 0;
};

await runCommand(main);
// What a plugin left open must not keep a finished rebuild alive.
process.exit();
