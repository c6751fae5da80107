import type { Target } from "../../lib/engine/target.ts";
import type { Display } from "../../lib/terminal/display.ts";
import { Problem } from "../../toolchain/problem.ts";
import { takeSnapshot } from "./snapshot.ts";

/**
 * Takes a snapshot of etcd before a step that can hurt it, where the stack file names who can open one.
 *
 * @throws Problem if no destination takes it
 */
export const keepEtcd = async (target: Target, display: Display): Promise<void> => {
  if (!(await target.config()).escrow) {
    display.line("  etcd has no snapshot, for hearth:escrow names nobody who could open one");
    return;
  }
  const { name, copies } = await takeSnapshot(
    target,
    (text) => {
      display.live(text);
    },
    (text) => {
      display.line(text);
    },
  );
  const kept = copies.filter(({ problem }) => problem === undefined).map(({ destination }) => destination);
  if (kept.length === 0)
    throw new Problem(`No destination took the snapshot of etcd: npx hearth snapshot ${target.stack}`);
  display.line(`  A snapshot of etcd is kept in ${kept.join(", ")}: ${name}`);
};
