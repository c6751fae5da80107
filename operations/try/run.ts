import { appendFile } from "node:fs/promises";
import { createInterface } from "node:readline";

import { execa } from "execa";

import { killTree } from "../../lib/engine/processes.ts";

/** How a command ended, and what it said. */
export interface Ran {
  isDone: boolean;
  /** Whether it was killed, so that nothing is known of how it would have ended. */
  isKilled: boolean;
  lines: { at: number; text: string }[];
}

interface Running {
  signal: AbortSignal;
  log: string;
  say: (text: string) => void;
  now: () => number;
  killedBy?: ((text: string) => number | undefined) | undefined;
}

/** Variables by which a shell may hold credentials, or the address of another lab. A trial's commands have none of them. */
const kept = (name: string): boolean =>
  !/^(PULUMI_|AWS_|AZURE_|GOOGLE_|CLOUDFLARE_|PROXMOX_|SOPS_|GITHUB_|ACTIONS_|HEARTH_LAB$|HEARTH_ROLLOUT$|KUBECONFIG$|TALOSCONFIG$|.*(TOKEN|SECRET|PASSWORD|PASSPHRASE)$)/i.test(
    name,
  );

/** How long a command that was asked to end may take for that, in milliseconds. Then it is ended. */
const endTimeout = 120_000;

/**
 * Runs a file of a checkout by its own command line, with no credentials of the shell.
 *
 * @param say gets each line as it is said
 * @param now the clock of the lines' times
 * @param killedBy how many milliseconds after a line the command and all that it started are killed; undefined if not. @default never
 */
export const runIn = async (
  root: string,
  args: readonly string[],
  { signal, log, say, now, killedBy }: Running,
): Promise<Ran> => {
  signal.throwIfAborted();
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => kept(name)));
  const child = execa(process.execPath, ["scripts/setup.mjs", ...args], {
    cwd: root,
    env: environment,
    extendEnv: false,
    stdin: "ignore",
    all: true,
    buffer: false,
    reject: false,
    forceKillAfterDelay: endTimeout,
  });
  // It cleans up on this signal, as on Ctrl-C.
  const end = (): void => void child.kill("SIGTERM");
  signal.addEventListener("abort", end, { once: true });
  const lines: Ran["lines"] = [];
  let killing: NodeJS.Timeout | undefined;
  const found = { isKilled: false };
  const kill = (pid: number): void => {
    found.isKilled = true;
    void killTree(pid);
  };
  try {
    for await (const text of createInterface({ input: child.all })) {
      lines.push({ at: now(), text });
      say(text);
      const { pid } = child;
      const wait = killing === undefined ? killedBy?.(text) : undefined;
      if (wait !== undefined && pid !== undefined) killing = setTimeout(kill, wait, pid);
      await appendFile(log, `${text}\n`);
    }
    const { exitCode } = await child;
    signal.throwIfAborted();
    return { isDone: exitCode === 0, isKilled: found.isKilled && exitCode !== 0, lines };
  } finally {
    clearTimeout(killing);
    signal.removeEventListener("abort", end);
  }
};

/** A line of progress, which ends with the time that passed. */
const progress = /^ {2}.* \([\d.]+ (s|min [\d.]+ s)\)$/;

/** The last that a command said, without its progress. */
export const lastWords = ({ lines }: Ran, count = 30): string =>
  lines
    .map(({ text }) => text)
    .filter((text) => text.trim() !== "" && !progress.test(text))
    .slice(-count)
    .join("\n");
