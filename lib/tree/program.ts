import { join } from "node:path";

import { execa } from "execa";

import { Problem } from "../../toolchain/problem.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";

const root = join(import.meta.dirname, "../..");

/** It answers once and ends. Collecting garbage takes a third of its time, so it does that once it uses much memory only. */
const withoutCollection = { GOGC: "off", GOMEMLIMIT: "1GiB" };

/**
 * Asks hearth-tree, the program that has Flux's and Kubernetes' own libraries; built where it is missing.
 *
 * @throws Problem with what it says where it cannot answer
 */
export const askProgram = async <Answer>(subcommand: string, request: unknown): Promise<Answer> => {
  const { "hearth-tree": program = "" } = await new Toolchain({ root }).ensure(["hearth-tree"]);
  const { stdout, stderr, exitCode } = await execa(program, [subcommand], {
    input: JSON.stringify(request),
    // It reads what a pull request wrote, so it gets no credentials, and finds no program to run.
    env: { PATH: "", HOME: process.env.HOME, TMPDIR: process.env.TMPDIR, ...withoutCollection },
    extendEnv: false,
    maxBuffer: 1 << 28,
    reject: false,
  });
  if (exitCode !== 0) throw new Problem(stderr);
  return JSON.parse(stdout) as Answer;
};
