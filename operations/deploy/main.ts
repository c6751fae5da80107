import { Display, duration } from "../../lib/terminal/display.ts";
import { readArguments } from "../../toolchain/arguments.ts";
import { runCommand, type Session } from "../../lib/terminal/session.ts";
import { stackArgument } from "../../lib/terminal/stack-argument.ts";
import { deploy } from "./deploy.ts";

const usage = `Usage: npm run deploy -- STACK

Previews the stack, updates it where something changes, and previews it again: then nothing may change any more. Policies hold
throughout. It runs the pulumi of PATH, with the state and the credentials that it is logged in to.`;

const main = async (args: string[], { root, print }: Session): Promise<number> => {
  const { positionals, values } = readArguments(args, {}, usage);
  if (values.help === true) {
    print(usage);
    return 0;
  }
  const stack = stackArgument(positionals, usage, root);
  const display = new Display();
  const isChanged = await deploy(stack, display);
  display.line(`${isChanged ? "Deployed" : "Nothing to deploy"} after ${duration(display.seconds)}`);
  return 0;
};

await runCommand(main);
