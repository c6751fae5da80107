import type { Call } from "../../lib/terminal/command.ts";
import { duration } from "../../lib/terminal/display.ts";
import { examine } from "./doctor.ts";
import { report } from "./report.ts";
import { subjects } from "./subjects.ts";
import { surroundingsOf } from "./surroundings.ts";

/** Looks at everything that a deployment relies on. It changes nothing; the exit code is 1 if there is a problem. */
export const doctor = async ({ stack, identities, display, print, open, answer }: Call): Promise<number> => {
  display.live("Reading the stack's configuration and state");
  const surroundings = await surroundingsOf(await open(), identities);
  display.live("Asking everything that the stack relies on");
  try {
    const findings = await examine(subjects, surroundings);
    display.clear();
    print(report(stack, findings));
    answer({ stack, findings });
    display.line(`Looked at ${findings.length} things in ${duration(display.seconds)}`);
    return findings.some(({ is }) => is === "problem") ? 1 : 0;
  } finally {
    await surroundings.internet.close();
  }
};
