import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { expect } from "chai";

const program = `
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { interruption } from "./lib/terminal/interruption.ts";
const signal = interruption("interrupted");
const child = execa("sleep", ["60"], { reject: false });
console.log("ready");
await sleep(60_000, undefined, { signal }).catch(() => undefined);
await sleep(Number(process.argv[1]));
child.kill();
console.log(signal.reason.message);
`;

/** Runs a command with another one below it, sends it signals, and returns what it said and which signal ended it. */
const interrupted = async (cleanup: number, ...signals: NodeJS.Signals[]) => {
  const args = ["--import", "tsx", "--input-type=module", "--eval", program, cleanup.toString()];
  const child = spawn(process.execPath, args, { cwd: join(import.meta.dirname, "../../../.."), stdio: "pipe" });
  let said = "";
  const ended = new Promise<NodeJS.Signals | null>((resolve) => {
    child.on("exit", (_, signal) => {
      resolve(signal);
    });
  });
  await new Promise<void>((resolve) =>
    child.stdout.on("data", (data: Buffer) => {
      said += data.toString();
      resolve();
    }),
  );
  for (const signal of signals) {
    child.kill(signal);
    await sleep(300);
  }
  return { signal: await ended, said };
};

describe("a command that is interrupted", () => {
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    it(`cleans up upon ${name}, while another program runs below it`, async () => {
      expect(await interrupted(500, name)).to.deep.equal({ said: "ready\ninterrupted\n", signal: null });
    });
  }

  it("ends at once upon a second signal", async () => {
    expect(await interrupted(20_000, "SIGINT", "SIGINT")).to.deep.equal({ said: "ready\n", signal: "SIGINT" });
  });
});
