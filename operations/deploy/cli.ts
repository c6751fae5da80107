import type { Call } from "../../lib/terminal/command.ts";
import { duration } from "../../lib/terminal/display.ts";
import { interruption } from "../../lib/terminal/interruption.ts";
import { deploy } from "./deploy.ts";
import { forgetDestroyed } from "./destroyed.ts";
import { requireReadyApis, sayWhatIsBroken } from "./examined.ts";

interface DeployFlags {
  step?: boolean | undefined;
  until?: string | undefined;
  unchecked?: boolean | undefined;
  now?: boolean | undefined;
}

/** Deploys a stack. */
export const deployCommand = async (call: Call<DeployFlags>): Promise<number> => {
  const { stack, identities, display, values, answer, agreed } = call;
  const target = await call.open();
  const signal = interruption(`The deployment of ${stack} was interrupted: run it again to go on`);
  const place = { target, identities, display };
  if (values.unchecked) await forgetDestroyed(target, display);
  else
    await requireReadyApis(place).catch(async (error: unknown) => {
      // Why the deployment cannot begin counts, not why Proxmox could not be asked.
      if (!(await forgetDestroyed(target, display).catch(() => false))) throw error;
      await requireReadyApis(place);
    });
  const { isChanged, left } = await deploy(target, display, signal, {
    until: values.until,
    ...(!values.now && { windows: (await target.config()).rollout }),
    ...(values.step && { confirm: agreed }),
  }).catch(async (error: unknown) => {
    // Why the deployment failed counts, not why the doctor did.
    if (!signal.aborted) await sayWhatIsBroken(place, error).catch(() => undefined);
    throw error;
  });
  const outcome = left.length > 0 ? "Ended before its end" : isChanged ? "Deployed" : "Nothing to deploy";
  display.line(`${outcome} after ${duration(display.seconds)}`);
  answer({ stack, isChanged, left: left.map(({ name }) => name) });
  return 0;
};
