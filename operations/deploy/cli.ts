import type { Call } from "../../lib/terminal/command.ts";
import { duration } from "../../lib/terminal/display.ts";
import { interruption } from "../../lib/terminal/interruption.ts";
import { deploy } from "./deploy.ts";

interface DeployFlags {
  step?: boolean | undefined;
  until?: string | undefined;
}

/** Deploys a stack. */
export const deployCommand = async (call: Call<DeployFlags>): Promise<number> => {
  const { stack, display, values, answer, agreed } = call;
  const target = await call.open();
  const signal = interruption(`The deployment of ${stack} was interrupted: run it again to go on`);
  const { isChanged, left } = await deploy(target, display, signal, {
    until: values.until,
    ...(values.step && { confirm: agreed }),
  });
  const outcome = left.length > 0 ? "Ended before its end" : isChanged ? "Deployed" : "Nothing to deploy";
  display.line(`${outcome} after ${duration(display.seconds)}`);
  answer({ stack, isChanged, left: left.map(({ name }) => name) });
  return 0;
};
