import { resolve } from "node:path";

import type { Call } from "../../lib/terminal/command.ts";
import { interruption } from "../../lib/terminal/interruption.ts";
import { typedName } from "../../lib/terminal/session.ts";
import { requireUsualBackend } from "../../lib/secrets/usual-backend.ts";
import { Problem } from "../../toolchain/problem.ts";
import { rebuild } from "./command.ts";

interface RebuildFlags {
  from?: string | undefined;
  etcd?: string | undefined;
  case?: string | undefined;
  unsigned?: string[] | undefined;
  lost?: string[] | undefined;
  "lost-data"?: string[] | undefined;
  wait?: string | undefined;
  confirm?: string | undefined;
  plan?: boolean | undefined;
  restart?: boolean | undefined;
}

/** Rebuilds a stack. */
export const rebuildCommand = async (call: Call<RebuildFlags>): Promise<number> => {
  const { values, identities, display } = call;
  const target = await call.open();
  const from = values.from && resolve(values.from);
  if (from) await requireUsualBackend(target, call.backend, from);
  const signal = interruption("The rebuild was interrupted; run it again to go on");
  signal.addEventListener("abort", () => {
    display.line("Interrupted: ending what is under way. Run the same command again to go on");
  });
  const seconds = await rebuild(target, {
    escrow: from,
    identities,
    snapshot: values.etcd,
    desiredCase: values.case,
    isPlanOnly: values.plan === true,
    isRestart: values.restart === true,
    unsigned: values.unsigned ?? [],
    lost: values.lost ?? [],
    lostData: values["lost-data"] ?? [],
    timeout: secondsOf(values.wait ?? "180") * 1000,
    signal,
    confirm: call.agreed,
    confirmLoss: (what) => typedName(call, what, call.stack, values.confirm),
  });
  call.answer({ stack: call.stack, seconds });
  return 0;
};

const secondsOf = (text: string): number => {
  if (/^\d+$/.test(text)) return Number(text);
  throw new Problem(`--wait ${text} is no number of seconds: give one, as --wait 180`);
};
