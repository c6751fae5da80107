import { join } from "node:path";

import { execa } from "execa";

import { Problem } from "../../toolchain/problem.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";
import { Answers } from "./answers.ts";

const root = join(import.meta.dirname, "../..");

/** It answers once and ends. Collecting garbage takes a third of its time, so it does that once it uses much memory only. */
const withoutCollection = { GOGC: "off", GOMEMLIMIT: "1GiB" };

/** Answers are kept in the folder that HEARTH_ANSWERS names, if it does: the tests ask the same each time. */
const ofTests = process.env.HEARTH_ANSWERS === undefined ? undefined : new Answers(process.env.HEARTH_ANSWERS);

let found: Promise<string> | undefined;

/** Returns the path of hearth-tree. It is looked for once in a process, and built where it is missing. */
const hearthTree = (): Promise<string> =>
  (found ??= new Toolchain({ root })
    .ensure(["hearth-tree"])
    .then(({ "hearth-tree": program = "" }) => program)
    .catch((error: unknown) => {
      found = undefined;
      throw error;
    }));

/**
 * Asks hearth-tree, the program that has Flux's and Kubernetes' own libraries; built where it is missing.
 *
 * @param reads what it reads besides the request: the file or folder, by the path of it that the request names. Without it, no answer is kept
 * @param answers where answers are kept. A tree may have a secret in plain text by mistake, so nowhere unless that is said
 * @throws Problem with what it says where it cannot answer
 */
export const askProgram = async <Answer>(
  subcommand: string,
  request: unknown,
  reads?: Readonly<Record<string, string>>,
  answers: Answers | undefined = ofTests,
): Promise<Answer> => {
  const program = await hearthTree();
  const ask = async (): Promise<string> => {
    const { stdout, stderr, exitCode } = await execa(program, [subcommand], {
      input: JSON.stringify(request),
      // It reads what a pull request wrote, so it gets no credentials, and finds no program to run.
      env: { PATH: "", HOME: process.env.HOME, TMPDIR: process.env.TMPDIR, ...withoutCollection },
      extendEnv: false,
      maxBuffer: 1 << 28,
      reject: false,
    });
    if (exitCode !== 0) throw new Problem(stderr);
    return stdout;
  };
  const isKept = answers !== undefined && reads !== undefined;
  const answer = isKept ? await answers.of({ program, subcommand, request, reads }, ask) : await ask();
  return JSON.parse(answer) as Answer;
};
