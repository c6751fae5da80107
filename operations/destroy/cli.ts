import type { Call } from "../../lib/terminal/command.ts";
import { duration, table } from "../../lib/terminal/display.ts";
import { interruption } from "../../lib/terminal/interruption.ts";
import { typedName } from "../../lib/terminal/session.ts";
import { credentialsFor } from "../escrow/credentials.ts";
import { destroy } from "./destroy.ts";
import { hasBegun, losses } from "./losses.ts";

/** Destroys a stack. */
export const destroyCommand = async (
  call: Call<{ confirm?: string | undefined; snapshot?: boolean | undefined }>,
): Promise<number> => {
  const { stack, values, identities, display, print, answer } = call;
  const target = await call.open();
  const state = await target.engine.state();
  const resources = state.deployment.resources?.length ?? 0;
  if (resources === 0) {
    print(`${stack} has nothing that could be destroyed`);
    answer({ stack, resources });
    return 0;
  }
  print(
    table(
      ["what is lost", "names"],
      losses(state).map(({ what, names }) => [`${names.length} ${what}`, names.join(", ")]),
    ),
  );
  if (hasBegun(state))
    print(`An earlier destroy began. If the cluster still runs, take a snapshot before: npx hearth snapshot ${stack}`);
  await typedName(call, `All of this is deleted, with the ${resources} resources of ${stack}.`, stack, values.confirm);
  const signal = interruption(`The destruction of ${stack} was interrupted: run it again to go on`);
  const credentials = await credentialsFor(target, identities, true, display);
  const hasCluster = values.snapshot ?? true;
  const kept = await destroy(target, { state, credentials, hasCluster, display, signal });
  print(`Nothing is left of ${stack} (${duration(display.seconds)}). npx hearth rebuild ${stack} brings it back`);
  answer({ stack, resources, kept });
  return 0;
};
