import { execa } from "execa";

import type { Recorded } from "./stack.ts";

interface Export {
  deployment: {
    resources?: (Partial<Recorded> & { urn: string; type: string; delete?: boolean })[];
  };
}

/** The stack's resources as its state has them. Its secrets stay encrypted. */
export const recordedIn = async (root: string, stack: string): Promise<Recorded[]> => {
  const { stdout, stderr, exitCode } = await execa(
    "pulumi",
    ["stack", "export", "--stack", stack, "--non-interactive"],
    { cwd: root, reject: false, stdin: "ignore", maxBuffer: 1 << 28 },
  );
  if (exitCode !== 0) {
    throw new Error(`The state of ${stack} cannot be read: ${stderr.trim().split("\n").at(-1) ?? ""}`);
  }
  const { deployment } = JSON.parse(stdout) as Export;
  return (deployment.resources ?? [])
    .filter((resource) => resource.delete !== true)
    .map(({ urn, type, inputs = {}, outputs = {}, protect = false, ignoreChanges = [] }) => ({
      ...{ urn, type, inputs, outputs, protect, ignoreChanges },
    }));
};
