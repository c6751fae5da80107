import { readFile } from "node:fs/promises";

import { execa } from "execa";

import type { LabCheckout, Stack } from "./lab-checkout.ts";

/** What `npx hearth try --json` answers. */
interface Answer {
  outcome: "held" | "broken" | "refused";
  parts: {
    title: string;
    refusal?: string;
    verdicts: { what: string; isHeld: boolean; measured: string; why: string[] }[];
    steps: { name: string; isDone: boolean }[];
  }[];
}

/** How a trial of a checkout ended. */
export interface Tried {
  exitCode: number | undefined;
  answer: Answer | undefined;
  report: string;
  timeline: string;
  /** What it said on standard error. */
  said: string;
}

/** Tries what a checkout has changed since a tag, as a person does. */
export const tryChange = async (
  checkout: LabCheckout,
  stack: Stack,
  base: string,
  ...flags: string[]
): Promise<Tried> => {
  const args = ["bin/hearth.mjs", "try", stack, "--base", base, "--json", ...flags];
  const { exitCode, stdout, stderr } = await execa("node", args, { cwd: checkout.path, reject: false });
  const read = (kind: string) => readFile(checkout.file(".hearth", `try-${stack}.${kind}`), "utf8").catch(() => "");
  return {
    exitCode,
    answer: stdout === "" ? undefined : (JSON.parse(stdout) as Answer),
    report: await read("md"),
    timeline: await read("svg"),
    said: stderr,
  };
};
