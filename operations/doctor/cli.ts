import type { Call } from "../../lib/terminal/command.ts";
import { duration } from "../../lib/terminal/display.ts";
import { cloudflare } from "./cloudflare.ts";
import { computer } from "./computer.ts";
import { examine, type Subject } from "./doctor.ts";
import { escrow } from "./escrow.ts";
import { factory } from "./factory.ts";
import { git } from "./git.ts";
import { machines } from "./machines.ts";
import { network } from "./network.ts";
import { proxmox } from "./proxmox.ts";
import { report } from "./report.ts";
import { surroundingsOf } from "./surroundings.ts";
import { tree } from "./tree.ts";

/** The subjects in the order in which a deployment needs them. */
const subjects: readonly Subject[] = [computer, proxmox, factory, machines, network, cloudflare, git, tree, escrow];

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
