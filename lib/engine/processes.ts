import { execa } from "execa";
import { setTimeout as sleep } from "node:timers/promises";
import { isRunning } from "../../toolchain/running.ts";
import { sweepPrivateFolders } from "../secrets/private-folder.ts";

interface Running {
  pid: number;
  parent: number;
  session: number;
  command: string;
}

const processes = async (): Promise<Running[]> => {
  const { stdout } = await execa("ps", ["-A", "-o", "pid=,ppid=,sess=,args="]);
  return stdout.split("\n").flatMap((line) => {
    const [, pid, parent, session, command = ""] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    return pid === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), session: Number(session), command }];
  });
};

/** Whether a process is the engine, one of its plugins or a program that it runs. */
const isPulumis = ({ command }: Running): boolean =>
  /^\S*\/?pulumi(-[\w-]+)?( |$)|\/@pulumi\/pulumi\/cmd\//.test(command);

/**
 * Whether a process of that ID runs which may be an engine. IDs come round again, so another program is none, and neither is a
 * process that only waits to be reaped; one that cannot be looked at may be one.
 */
export const mayBeEngine = async (pid: number): Promise<boolean> => {
  const found = (await processes()).find((each) => each.pid === pid);
  if (found === undefined) return isRunning(pid);
  return found.command.includes("pulumi") && !found.command.endsWith("<defunct>");
};

const isWorking = ({ command }: Running): boolean => /^\S*\/?pulumi (up|preview|refresh|destroy)( |$)/.test(command);

const below = (all: readonly Running[], root: number): number[] =>
  all.filter(({ parent }) => parent === root).flatMap(({ pid }) => [pid, ...below(all, pid)]);

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
};

/** How long an engine that was interrupted may take to finish what it has begun, in milliseconds. */
const interruptTimeout = 60_000;

/** Interrupts an engine that is working, as Ctrl-C does, and waits for it. */
const interrupt = async (pid: number): Promise<void> => {
  signal(pid, "SIGINT");
  for (const deadline = Date.now() + interruptTimeout; isRunning(pid) && Date.now() < deadline;) await sleep(100);
};

/** Ends processes in order, and after ten seconds at once. */
const end = async (pids: readonly number[]): Promise<void> => {
  for (const pid of pids) signal(pid, "SIGTERM");
  for (let tries = 0; tries < 100 && pids.some(isRunning); tries += 1) await sleep(100);
  for (const pid of pids) signal(pid, "SIGKILL");
};

/** Ends a process with all below it. */
export const endTree = async (root: number): Promise<void> => end([root, ...below(await processes(), root)]);

/** Kills a process with all below it at once, as a computer does that fails. Nothing of them cleans up. */
export const killTree = async (root: number): Promise<void> => {
  const all = await processes();
  for (const pid of [root, ...below(all, root)]) signal(pid, "SIGKILL");
};

/**
 * Ends an engine and all that it started, by the number that its process had. One that is working may finish what it has
 * begun, for whoever waited for it is gone.
 *
 * The engine was the leader of a session, in which its plugins stay when it is gone. The number may have become another's
 * since, so only what is Pulumi's is ended.
 */
export const endEngine = async (root: number): Promise<void> => {
  let all = await processes();
  if (all.some((each) => each.pid === root && isWorking(each))) {
    await interrupt(root);
    all = await processes();
  }
  const engine = all
    .filter((each) => each.pid === root && isPulumis(each))
    .flatMap(({ pid }) => [pid, ...below(all, pid)]);
  const left = all.filter((each) => each.session === root && isPulumis(each)).map(({ pid }) => pid);
  await end([...new Set([...engine, ...left])]);
  // Its folder was kept as long as it ran.
  sweepPrivateFolders();
};
