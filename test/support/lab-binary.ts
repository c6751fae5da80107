import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

let built: Promise<string> | undefined;

/** Builds `hearth-lab` once a test run and gives its path. */
export const labBinary = (): Promise<string> => (built ??= build());

const build = async (): Promise<string> => {
  const path = join(tmpdir(), "hearth-lab-test", "hearth-lab");
  const cwd = new URL("../../lab", import.meta.url).pathname;
  await promisify(execFile)("go", ["build", "-trimpath", "-o", path, "./cmd/hearth-lab"], {
    cwd,
    env: { ...process.env, CGO_ENABLED: "0" },
  });
  return path;
};
