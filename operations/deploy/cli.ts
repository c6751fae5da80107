import type { Call } from "../../lib/terminal/command.ts";
import { duration } from "../../lib/terminal/display.ts";
import { interruption } from "../../lib/terminal/interruption.ts";
import { deploy } from "./deploy.ts";

/** Deploys a stack. */
export const deployCommand = async ({ stack, display, open, answer }: Call): Promise<number> => {
  const target = await open();
  const signal = interruption(`The deployment of ${stack} was interrupted: run it again to go on`);
  const isChanged = await deploy(target, display, signal);
  display.line(`${isChanged ? "Deployed" : "Nothing to deploy"} after ${duration(display.seconds)}`);
  answer({ stack, isChanged });
  return 0;
};
