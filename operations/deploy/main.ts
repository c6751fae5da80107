import { Display, duration } from "../../lib/terminal/display.ts";
import { readArguments } from "../../toolchain/arguments.ts";
import { runCommand, type Session } from "../../lib/terminal/session.ts";
import { stackArgument } from "../../lib/terminal/stack-argument.ts";
import { Target } from "../../lib/engine/target.ts";
import { interruption } from "../../lib/terminal/interruption.ts";
import { deploy } from "./deploy.ts";

const usage = `Usage: npm run deploy -- STACK [--lab]

Previews the stack, updates it where something changes, and previews it again: then nothing may change any more. Policies hold
throughout.

  --lab   the lab's stack; as well where the shell has evaluated \`npm run lab -- env\``;

const options = { lab: { type: "boolean" } } as const;

const main = async (args: string[], { root, print }: Session): Promise<number> => {
  const { positionals, values } = readArguments(args, options, usage);
  if (values.help === true) {
    print(usage);
    return 0;
  }
  const stack = stackArgument(positionals, usage, root);
  const display = new Display();
  const target = await Target.open(root, stack, { lab: values.lab === true });
  const signal = interruption(`The deployment of ${stack} was interrupted: run it again to go on`);
  const isChanged = await deploy(target, display, signal);
  display.line(`${isChanged ? "Deployed" : "Nothing to deploy"} after ${duration(display.seconds)}`);
  return 0;
};

await runCommand(main);
