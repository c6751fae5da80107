import { codeOf } from "../../toolchain/problem.ts";

/** Gives another value where a file or folder does not exist. */
export const unlessMissing =
  <T>(otherwise: T) =>
  (error: unknown): T => {
    if (codeOf(error) === "ENOENT") return otherwise;
    throw error;
  };
