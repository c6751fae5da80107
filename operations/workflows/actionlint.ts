import { execa } from "execa";

import { Problem } from "../../toolchain/problem.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";
import type { Danger } from "./dangers.ts";

/** A problem in the output of actionlint with `-format '{{json .}}'`. */
interface Reported {
  message: string;
  filepath: string;
  line: number;
  kind: string;
}

/**
 * Returns the findings of actionlint in workflows.
 *
 * @param root folder of the checkout, which the tools are built from
 * @param cwd folder that the files are in
 */
export const actionlint = async (root: string, files: string[], cwd = root): Promise<Danger[]> => {
  if (files.length === 0) return [];
  const { actionlint: program = "" } = await new Toolchain({ root }).ensure(["actionlint"]);
  // The result for a shell script must not depend on what else is installed.
  const args = ["-format", "{{json .}}", "-shellcheck=", "-pyflakes=", ...files];
  const { stdout, stderr, exitCode } = await execa(program, args, { cwd, reject: false });
  // Exit code 1 means that actionlint found problems; higher codes are its own failures.
  if (exitCode !== 0 && exitCode !== 1) throw new Problem(`actionlint failed: ${stderr.trim()}`);
  return (JSON.parse(stdout) as Reported[]).map(({ filepath, line, message, kind }) => ({
    file: filepath,
    line,
    problem: `${message} (actionlint, ${kind})`,
    advice: "",
  }));
};
